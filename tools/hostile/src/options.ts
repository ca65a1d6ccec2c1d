import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run hostile -- [--short] [--only TEXT]
       npm run hostile -- --seller HOST:PORT --torrent FILE [--rpc URL] [--metrics URL] [--network NAME] [--local-limits]

  Twenty hostile buyers against a live node, one after the other, beside an honest one. Without --seller a fleet of two
  nodes is brought on this machine, and nothing is left behind.

  --seller HOST:PORT   the node to attack; it must sell the torrent
  --torrent FILE       the .torrent file
  --rpc URL            a regtest node with a funded wallet: channels are funded, and blocks mined, through it
  --metrics URL        the node's /metrics, to tell memory and processor time
  --network NAME       the node's network (default: regtest)
  --local-limits       the node was started with LIMIT_LOCAL_ADDRESSES=true
  --short              the cheap half
  --only TEXT          only buyers whose name contains the text
`;

export interface HostileOptions {
  readonly seller: string | undefined;
  readonly torrent: string | undefined;
  readonly rpc: string | undefined;
  readonly metrics: string | undefined;
  readonly network: string;
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
      seller: { type: 'string' },
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
  const { seller, torrent, rpc, metrics } = values;
  if ((seller === undefined) !== (torrent === undefined)) throw new Error('--seller and --torrent go together');
  if (seller !== undefined && !/^.+:\d{1,5}$/.test(seller)) throw new Error('--seller must be HOST:PORT');
  return {
    seller,
    torrent,
    rpc,
    metrics,
    network: values.network ?? 'regtest',
    localLimits: values['local-limits'] === true,
    short: values.short === true,
    only: values.only ?? '',
    help: values.help === true,
  };
}
