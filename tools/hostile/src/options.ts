import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run hostile -- [--short] [--only TEXT]
       npm run hostile -- --state DIR [--torrent FILE] [--local-limits] [--short] [--only TEXT]
       npm run hostile -- --seller HOST:PORT --torrent FILE [--other HOST:PORT] [--rpc URL] [--metrics URL]
                          [--network NAME] [--local-limits] [--short] [--only TEXT]

  Twenty hostile buyers against a live node, one after the other, beside an honest one. Without --state and --seller a
  fleet of two nodes is brought on this machine, and nothing is left behind.

  --state DIR          the state folder of a fleet that \`npm start\` runs: its first node is attacked, and everything below
                       that is not given is found there
  --seller HOST:PORT   the node to attack; it must sell the torrent
  --torrent FILE       the .torrent file, of at least 16 pieces (with --state: any that the node has)
  --other HOST:PORT    another node of the fleet that sells it: a buyer shows one output to both
  --rpc URL            a Bitcoin node in regtest, as http://USER:PASSWORD@HOST:PORT, the one that the fleet follows: channels
                       are funded, and blocks mined, through it
  --metrics URL        the node's /metrics, to tell its memory, processor time and refusals
  --network NAME       the node's network (default: regtest)
  --local-limits       limits per source hold for this machine: \`npm start -- --local-limits\`, or services with
                       LIMIT_LOCAL_ADDRESSES=true
  --short              the cheap half
  --only TEXT          only buyers whose name contains the text
`;

export interface HostileOptions {
  readonly state: string | undefined;
  readonly seller: string | undefined;
  readonly torrent: string | undefined;
  readonly other: string | undefined;
  readonly rpc: string | undefined;
  readonly metrics: string | undefined;
  readonly network: string | undefined;
  readonly localLimits: boolean;
  readonly short: boolean;
  readonly only: string;
  readonly help: boolean;
}

/** Throws with a sentence for people. */
export function readOptions(args: readonly string[]): HostileOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      state: { type: 'string' },
      seller: { type: 'string' },
      other: { type: 'string' },
      torrent: { type: 'string' },
      rpc: { type: 'string' },
      metrics: { type: 'string' },
      network: { type: 'string' },
      'local-limits': { type: 'boolean' },
      short: { type: 'boolean' },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { state, seller, torrent, other, rpc, metrics } = values;
  if (state === undefined && (seller === undefined) !== (torrent === undefined)) {
    throw new Error('--seller and --torrent go together');
  }
  for (const address of [seller, other]) {
    if (address !== undefined && !/^.+:\d{1,5}$/.test(address)) throw new Error(`"${address}" is not HOST:PORT`);
  }
  return {
    state,
    seller,
    torrent,
    other,
    rpc,
    metrics,
    network: values.network,
    localLimits: values['local-limits'] === true,
    short: values.short === true,
    only: values.only ?? '',
    help: values.help === true,
  };
}
