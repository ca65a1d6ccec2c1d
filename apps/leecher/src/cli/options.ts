/** Every option of every command: one table for the parser, the help, the manual, the completion and the configuration file. */

export type CommandName =
  | 'download'
  | 'stream'
  | 'refund'
  | 'wallet init'
  | 'wallet restore'
  | 'wallet receive'
  | 'wallet balance'
  | 'wallet history'
  | 'wallet send'
  | 'wallet seed'
  | 'completion';

export interface OptionSpec {
  /** What follows it; none for a switch. */
  readonly value?: string;
  readonly help: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** Commands that take it; none: every command that reaches a wallet. */
  readonly of?: readonly CommandName[];
}

const BUYING: readonly CommandName[] = ['download', 'stream'];

export const OPTIONS = {
  out: { value: 'DIR', help: 'where the content goes', of: BUYING },
  peer: { value: 'HOST:PORT', help: 'a seller or peer to dial; may be repeated', multiple: true, of: BUYING },
  'no-search': { help: 'deal with the given peers only: no trackers, no DHT', of: BUYING },
  'dht-bootstrap': {
    value: 'HOST:PORT',
    help: 'where to join the DHT; may be repeated (default: the usual nodes, none on regtest)',
    multiple: true,
    of: BUYING,
  },
  'no-free': { help: 'take no pieces from peers that give them for nothing', of: BUYING },
  encryption: { value: 'off|prefer|require', help: 'of connections (default off)', of: BUYING },
  'max-price': {
    value: 'SAT',
    help: "most satoshi per piece (default: the default buyer's price for this torrent)",
    of: BUYING,
  },
  'max-per-gib': { value: 'SAT', help: 'most satoshi per GiB', of: BUYING },
  'max-total': { value: 'SAT', help: 'most satoshi for all pieces together', of: BUYING },
  budget: {
    value: 'SAT',
    help: 'deposit of one contract; a further one follows when it is used up (default: everything)',
    of: BUYING,
  },
  'max-locked': { value: 'SAT', help: 'most that deposits for this torrent lock at once', of: BUYING },
  'max-lock': { value: 'UNITS', help: 'longest lock of the deposit, in units of 512 s (default 20)', of: BUYING },
  'max-fee-per-kb': {
    value: 'SAT',
    help: 'most satoshi per 1,000 bytes of the funding transaction (default 1024)',
    of: BUYING,
  },
  patience: {
    value: 'SECONDS',
    help: 'how long a seller that owes a piece may send nothing (default 60; 20 for stream)',
    of: BUYING,
  },
  wait: {
    value: 'SECONDS',
    help: 'how long to look for sellers, also after all were lost (default 60)',
    of: BUYING,
  },
  sellers: { value: 'N', help: 'sellers in one contract (default 1)', of: BUYING },
  yes: { help: 'buy without asking, within the ceilings', of: BUYING },
  listen: { value: 'HOST:PORT', help: 'where the player connects (default 127.0.0.1:8090)', of: ['stream'] },
  watch: { help: 'stay until every deposit is back', of: ['refund'] },
  since: { value: 'DATE', help: 'read the chain from this day on (default: 60 days ago)', of: ['wallet restore'] },
  'words-file': {
    value: 'FILE',
    help: 'the seed words (default: asked for, or standard input)',
    of: ['wallet restore'],
  },
  'new-passphrase': {
    help: 'ask for a passphrase and encrypt the seed with it',
    of: ['wallet init', 'wallet restore'],
  },
  'fee-rate': { value: 'SAT', help: 'satoshi per virtual byte', of: ['wallet send'] },
  'fee-target': { value: 'BLOCKS', help: "the node's estimate for so many blocks (default 6)", of: ['wallet send'] },
  rpc: { value: 'URL', help: 'the Bitcoin node (default: BTC_RPC)' },
  cookie: { value: 'FILE', help: 'its cookie file (default: BTC_COOKIE)' },
  wallet: { value: 'DIR', help: 'keys and contracts (default: ~/.local/share/seedfleet-leecher)' },
  network: { value: 'NAME', help: "signing rule of the channels (default: the node's network)" },
  'passphrase-file': {
    value: 'FILE',
    help: "file with the seed's passphrase (default: LEECHER_PASSPHRASE, or asked for)",
  },
  config: { value: 'FILE', help: 'defaults for all of these (default: ~/.config/seedfleet-leecher.json)' },
  json: { help: 'one JSON event per line' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

export const COMMANDS: Readonly<Record<CommandName, { readonly form: string; readonly help: string }>> = {
  download: {
    form: 'download SOURCE --out DIR',
    help: 'buys a torrent: a .torrent file, a magnet link, or a link to a market',
  },
  stream: { form: 'stream SOURCE', help: 'buys it in playing order and serves it to a player over HTTP' },
  refund: { form: 'refund', help: 'takes back deposits whose lock has ended' },
  'wallet init': { form: 'wallet init', help: 'makes a wallet and shows its seed words' },
  'wallet restore': {
    form: 'wallet restore',
    help: 'makes the wallet of these seed words, and finds its money and deposits',
  },
  'wallet receive': { form: 'wallet receive', help: 'an address that has not been used' },
  'wallet balance': { form: 'wallet balance', help: 'spendable, locked, and when what is locked can be taken back' },
  'wallet history': { form: 'wallet history', help: 'everything that came, went, was deposited and came back' },
  'wallet send': { form: 'wallet send ADDRESS SAT|all', help: 'pays somebody' },
  'wallet seed': { form: 'wallet seed', help: 'the seed words: whoever has them has the money' },
  completion: { form: 'completion bash|zsh', help: 'a script that completes commands and options' },
};

export function optionsOf(command: CommandName): OptionName[] {
  const names = Object.keys(OPTIONS) as OptionName[];
  if (command === 'completion') return [];
  return names.filter((name) => {
    const spec: OptionSpec = OPTIONS[name];
    return spec.of === undefined || spec.of.includes(command);
  });
}
