import { parseArgs } from 'node:util';
import { positive } from '../positive.js';

export const PARTS = ['idle', 'accepts', 'sales', 'torrents', 'restart'] as const;
export type Part = (typeof PARTS)[number];

/** What `npm run bench -- swarm` measures. */
export interface SwarmOptions {
  readonly torrents: number;
  /** Pieces of each of them. */
  readonly pieces: number;
  readonly connections: number;
  /** Sales among the connections. */
  readonly sales: number;
  /** Bytes sold while it is measured. */
  readonly transferBytes: number;
  /** Connections of the accept rate. */
  readonly accepts: number;
  /** Whether the node goes before the load generator where both want a core. */
  readonly precedence: boolean;
  /** What is measured; all unless told otherwise. */
  readonly parts: readonly Part[];
  readonly folder: string | undefined;
  readonly keep: boolean;
}

export const SWARM_USAGE = `options of swarm:
  --torrents 5000       torrents of the node
  --pieces 128          pieces of each, 16 KiB
  --connections 1000    connections, most of them idle
  --sales 50            of them buying
  --transfer 2048       MiB that these buy
  --accepts 5000        connections for the accept rate
  --no-precedence       the node gets no more of the cores than the load generator while it sells
  --parts A,B           of idle, accepts, sales, torrents and restart (default: all; restart needs torrents)
  --folder DIR          where content, servers and logs go (default: a temporary folder)
  --keep                leaves the folder there
`;

const MIB = 1024 * 1024;

/** Reads the command line; undefined where it can't be used. */
export function swarmOptions(args: readonly string[]): SwarmOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        torrents: { type: 'string', default: '5000' },
        pieces: { type: 'string', default: '128' },
        connections: { type: 'string', default: '1000' },
        sales: { type: 'string', default: '50' },
        transfer: { type: 'string', default: '2048' },
        accepts: { type: 'string', default: '5000' },
        parts: { type: 'string', default: PARTS.join(',') },
        folder: { type: 'string' },
        'no-precedence': { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    });
    const options = {
      torrents: positive(values.torrents),
      pieces: positive(values.pieces),
      connections: positive(values.connections),
      sales: positive(values.sales),
      transferBytes: positive(values.transfer) * MIB,
      accepts: positive(values.accepts),
      parts: values.parts.split(',').map(part),
      precedence: !values['no-precedence'],
      folder: values.folder,
      keep: values.keep,
    };
    return options.sales <= options.connections ? options : undefined;
  } catch {
    return undefined;
  }
}

function part(text: string): Part {
  const known = PARTS.find((name) => name === text);
  if (known === undefined) throw new RangeError(text);
  return known;
}
