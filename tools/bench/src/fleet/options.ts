import { parseArgs } from 'node:util';
import { positive } from '../positive.js';

/** What `npm run bench -- fleet` measures. */
export interface FleetBenchOptions {
  /** Numbers of nodes, growing. */
  readonly nodes: readonly number[];
  /** Buyers of each node. */
  readonly connections: number;
  /** Bytes that each node sells per run. */
  readonly transferBytes: number;
  readonly pieceBytes: number;
  readonly contentBytes: number;
  readonly rounds: number;
  /** Whole sales, from join to burial, whose cost is measured. */
  readonly sales: number;
  /** Of the model: what each node sells, bits per second, and the size of a sale, bytes. */
  readonly nodeBitsPerSecond: number;
  readonly saleBytes: number;
  /** Price, satoshi for 10^6 bytes. */
  readonly satPerMb: number;
}

const MIB = 1024 ** 2;

export const FLEET_USAGE = `options of fleet:
  --nodes 1,2,4         nodes that sell at the same time
  --connections 4       buyers of each node
  --transfer 512        MiB that each node sells per run
  --piece 1024          piece length, KiB
  --content 256         MiB of content on disk
  --rounds 3            runs; the median is shown
  --sales 32            whole sales whose cost is measured
  --node-mbit 1000      of the model: what a node sells, Mbit/s
  --sale-gib 10         of the model: size of a sale, GiB
  --sat-per-mb 2        of the model: price, satoshi per MB
`;

/** Reads the command line; undefined where it can't be used. */
export function fleetOptions(args: readonly string[]): FleetBenchOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        nodes: { type: 'string', default: '1,2,4' },
        connections: { type: 'string', default: '4' },
        transfer: { type: 'string', default: '512' },
        piece: { type: 'string', default: '1024' },
        content: { type: 'string', default: '256' },
        rounds: { type: 'string', default: '3' },
        sales: { type: 'string', default: '32' },
        'node-mbit': { type: 'string', default: '1000' },
        'sale-gib': { type: 'string', default: '10' },
        'sat-per-mb': { type: 'string', default: '2' },
      },
    });
    const options = {
      nodes: values.nodes.split(',').map(positive),
      connections: positive(values.connections),
      transferBytes: positive(values.transfer) * MIB,
      pieceBytes: positive(values.piece) * 1024,
      contentBytes: positive(values.content) * MIB,
      rounds: positive(values.rounds),
      sales: positive(values.sales),
      nodeBitsPerSecond: positive(values['node-mbit']) * 1e6,
      saleBytes: positive(values['sale-gib']) * 1024 ** 3,
      satPerMb: positive(values['sat-per-mb']),
    };
    const grows = options.nodes.every((count, at) => count > (options.nodes[at - 1] ?? 0));
    return grows && options.contentBytes % options.pieceBytes === 0 ? options : undefined;
  } catch {
    return undefined;
  }
}
