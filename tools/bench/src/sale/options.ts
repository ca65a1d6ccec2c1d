import { parseArgs } from 'node:util';
import { positive } from '../positive.js';

/** What `npm run bench -- sale` measures. */
export interface SaleOptions {
  readonly connections: readonly number[];
  /** Bytes. */
  readonly pieceLengths: readonly number[];
  /** Bytes of one transfer, over all its connections. */
  readonly transferBytes: number;
  /** Bytes of the content on disk; more than the node keeps in memory, so that pieces are read. */
  readonly contentBytes: number;
  /** Transfers of each kind per line; the median is shown. */
  readonly rounds: number;
  /** Keeps the folder with logs and content. */
  readonly keep: boolean;
  /** Where everything is put; default a fresh folder of the system's for temporary files. */
  readonly folder: string | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const SALE_USAGE = `options of sale:
  --connections 1,4,16      connections at a time
  --pieces 256,1024,4096    piece lengths, KiB
  --transfer 768            MiB per transfer
  --content 512             MiB of content on disk
  --rounds 3                transfers of each kind; the median is shown
  --folder DIR              where content, servers and logs go (default: a temporary folder)
  --keep                    leaves the folder there
`;

/** Reads the command line; undefined where it can't be used. */
export function saleOptions(args: readonly string[]): SaleOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        connections: { type: 'string', default: '1,4,16' },
        pieces: { type: 'string', default: '256,1024,4096' },
        transfer: { type: 'string', default: '768' },
        content: { type: 'string', default: '512' },
        rounds: { type: 'string', default: '3' },
        folder: { type: 'string' },
        keep: { type: 'boolean', default: false },
      },
    });
    const options = {
      connections: numbers(values.connections),
      pieceLengths: numbers(values.pieces).map((kib) => kib * KIB),
      transferBytes: positive(values.transfer) * MIB,
      contentBytes: positive(values.content) * MIB,
      rounds: positive(values.rounds),
      keep: values.keep,
      folder: values.folder,
    };
    // Whole pieces only: the last piece of a torrent is no measure of anything.
    return options.pieceLengths.every((length) => options.contentBytes % length === 0) ? options : undefined;
  } catch {
    return undefined;
  }
}

function numbers(text: string): number[] {
  return text.split(',').map(positive);
}
