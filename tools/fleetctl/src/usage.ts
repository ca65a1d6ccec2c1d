export const USAGE = `Usage: npm run fleetctl -- [--state DIR | --api URL --key-file F] COMMAND [--json | --text]

  torrents add FILE.torrent --content PATH|URL [--label L]… [--tier T] [--wait]
                              PATH: the file, or the folder that holds what the torrent names
                              --wait: return once it is on sale on at least one node
  content [PATH]              the folders from which torrents can be made, or what lies in one
  torrents make PATH [--name N] [--piece-length BYTES] [--private] [--label L]… [--tier T] [--wait]
                              make a torrent of a file or folder, and add it; PATH as the market API sees it
  torrents makings [ID] [--state-of waiting|hashing|done|failed|cancelled] [--limit N]
                              how far those are, and what became of the others
  torrents cancel ID          call one off
  torrents list [--state-of active|paused|removed] [--label L] [--tier T] [--search WORDS] [--sort ORDER] [--available]
                              [--limit N]
                              ORDER: newest, oldest, name, cheapest, dearest, smallest, largest
  torrents show INFOHASH
  torrents pause|resume|remove INFOHASH
  torrents replicas INFOHASH [N|auto]
                              how many nodes sell it; auto follows demand; without: where it is
  torrents move INFOHASH PATH where nodes find the content from now on
  torrents label INFOHASH [--label L]…
                              these labels and no others
  torrents tier INFOHASH TIER quality tier; a price by rule follows
  takedown HASH --why TEXT    block a torrent for the whole fleet: by infohash, or all that hold a file by its hash
                              nodes delete what they fetched; --delete-content: also files put there by hand
  takedown list [--in-force] [--limit N]
  takedown lift HASH --why TEXT
                              torrents stay removed until they are added again
  offers set INFOHASH PRICE [TERMS] [--dry-run]
                              PRICE: --price SAT, exactly this for a piece; or by a rule that the quality tier multiplies:
                              --per-piece SAT, --per-mib SAT, --formula SAT (default clients accept --formula 2)
                              TERMS: [--lock UNITS] [--settlement-fee SAT] [--min-fee-per-kb SAT] [--max-sellers N]
                              [--free-per-day BYTES --free-per-peer BYTES]
                              what is left out is sold at the default; a lock unit is 512 s;
                              --free-…: what each node gives to ordinary leechers a day; else not a byte
  offers bulk [INFOHASH…] [--label L] [--tier T] [--search WORDS] [--all] [PRICE | --reprice] [TERMS] [--dry-run]
                              what is left out stays as it is; --reprice: each its own rule, at the tiers of now;
                              --dry-run: say per torrent what it would come to
  offers show INFOHASH
  offers history INFOHASH
  offers advise INFOHASH [--days N]
                              what it should cost by what buyers bid, and why
  channels list [--in-state S]… [--torrent INFOHASH] [--node ID] [--sort newest|deadline|exposure] [--limit N]
  channels show ID
  channels books ID           what the books hold of it, posting by posting
  channels close ID --why TEXT
                              serve it no more, and settle it for what was paid
  revenue [--torrent INFOHASH] [--limit N]
  revenue total [--from DAY] [--to DAY]
  revenue by torrents|nodes|labels|buyers|days [--from DAY] [--to DAY] [--limit N]
                              torrents: [--sort revenue|collectable|buried|lost|channels] [--label L] [--tier T]
                              [--search WORDS]; days: [--torrent INFOHASH | --node ID | --buyer SUBNET]
  revenue series [--by hour|day] [--count N] [--torrent INFOHASH]
                              every hour or day up to now, also those without a sale
  revenue explain FIGURE [--torrent INFOHASH | --node ID | --buyer SUBNET] [--from DAY] [--to DAY] [--limit N]
                              the channels and transactions behind a figure, as buriedSat
  export torrents|nodes|buyers|labels|days|channels|postings [--format csv|json] [--out FILE] [--from DAY] [--to DAY]
  costs [--bandwidth SAT_PER_GIB] [--disk SAT_PER_GIB_MONTH]
  market list [--search WORDS] [--sort ORDER] [--tier T] [--available] [--limit N]
  market show INFOHASH        as buyers see it, with what it cost before
  market fetch INFOHASH --out FILE.torrent
  tiers list
  tiers show NAME
  tiers set NAME MULTIPLIER [--description TEXT]
  tiers remove NAME           one that no torrent has
  treasury show               what was earned and lies on payout keys, and what was done with it
  treasury sweep [--dry-run]  bring what is spare to the operator's own wallet now
  nodes list
  nodes quarantined           nodes that sell nothing because of what they sent, each with the reason
  nodes release ID --why TEXT let one sell again
  nodes cordon ID --why TEXT  empty a node: its torrents move to others, which take over one by one
  nodes uncordon ID
  placement                   what each node has, and what is short of nodes
  placement preview [--without ID]…
                              what would move, moving nothing
  fleet                       what the fleet is doing now
  alerts                      what needs attention; webhooks are told with --kind alert.*
  events [--follow] [--kind K]… [--limit N]
                              what happened last; --follow: what happens, a line each; K: channel.settled, offer.*
  audit [--actor A] [--action A] [--target T] [--since TIME] [--until TIME] [--limit N]
  keys list [--state-of active|revoked|expired] [--limit N]
  keys create NAME --scope read|operate|money… [--expires TIME]
  keys rotate ID [--and-made] [--out FILE]
                              a new key of the same rights; the old one and its sessions end at that moment
  keys revoke ID [--and-made]
                              --and-made: also every key that was made with it
  webhooks list
  webhooks show ID
  webhooks add URL [--kind K]… [--description TEXT]
  webhooks change ID [--url URL] [--kind K]… [--description TEXT]
  webhooks pause|resume|remove|test ID
  webhooks deliveries ID [--state-of STATE] [--limit N]
  webhooks redeliver ID DELIVERY
  completion bash|zsh         a script that completes commands: source <(npm run -s fleetctl -- completion bash)

  --state DIR      folder of the fleet that "npm start" runs (default: .seedfleet)
  --api URL        address of a market API, with --key-file F holding an API key
  --json           print JSON instead of tables; so it is by itself where the output is no terminal
  --text           print tables, also where the output is no terminal
  --help           print this

Amounts are satoshi. Exit codes: 0 done, 1 failed, 2 usage.
`;

/** How the command that these words were meant for is used; everything where that can't be told. */
export function usageFor(words: readonly string[]): string {
  const [group = '', own = ''] = words;
  const [head = '', ...rest] = USAGE.split('\n');
  // A command's lines are its own, two blanks in, and what is said of it further in.
  const commands = rest
    .join('\n')
    .split(/\n(?= {2}[a-z])/)
    .map((text) => text.replace(/\n\n[^]*$/, ''));
  const first = (text: string, place: number) => (text.trim().split(/\s+/)[place] ?? '').split('|');
  const ofGroup = commands.filter((text) => first(text, 0).includes(group));
  const exact = ofGroup.filter((text) => first(text, 1).includes(own));
  const meant = exact.length > 0 ? exact : ofGroup;
  if (group === '' || meant.length === 0) return USAGE;
  return `${head}\n\n${meant.map((text) => text.replace(/^\n+/, '')).join('\n')}\n\nEverything: --help\n`;
}
