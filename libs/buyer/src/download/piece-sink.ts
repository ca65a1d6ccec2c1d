import { createHash, timingSafeEqual } from 'node:crypto';
import {
  ContentWriter,
  locationBelow,
  pieceHashAt,
  pieceLengthAt,
  PieceLoader,
  verifyContent,
  type Content,
  type Metainfo,
} from '@seedfleet/bittorrent';
import { faultPoint } from '../fault-points.js';
import { PieceWatch } from './piece-watch.js';
import { BuyerError, ExitCode } from '../failure.js';

/** Where the bought pieces go: each is hashed, then written, and only a written piece counts as had. */
export class PieceSink {
  private constructor(
    private readonly metainfo: Metainfo,
    private readonly writer: ContentWriter,
    /** Pieces that were there at the start, in ascending order. */
    readonly had: readonly number[],
    readonly path: string,
  ) {
    this.watch = new PieceWatch(metainfo.pieceCount, had);
  }

  /** Grows with every piece written. */
  readonly watch: PieceWatch;

  /** Creates the files, or resumes: what is there already is verified and not bought again. */
  static async open(metainfo: Metainfo, outDir: string): Promise<PieceSink> {
    const content: Content = { metainfo, location: locationBelow(metainfo, outDir) };
    const writer = await ContentWriter.open(content);
    if (!writer.ok) {
      const { code, path, detail } = writer.error;
      throw new BuyerError(ExitCode.usage, code, `${path ?? outDir} can't be written: ${code} ${detail ?? ''}`.trim());
    }
    const loader = new PieceLoader(1);
    try {
      const isAbsent = (piece: number): boolean => writer.value.isNew(piece);
      const report = await verifyContent(content, loader, { isAbsent });
      const had: number[] = [];
      for (let piece = 0; piece < metainfo.pieceCount; piece += 1) if (report.good.has(piece)) had.push(piece);
      return new PieceSink(metainfo, writer.value, had, outDir);
    } finally {
      await loader.close();
    }
  }

  /** True when the bytes are the piece (BEP 3: SHA-1). */
  isGood(piece: number, data: Uint8Array): boolean {
    if (data.length !== pieceLengthAt(this.metainfo, piece)) return false;
    const digest = createHash('sha1').update(data).digest();
    return timingSafeEqual(digest, pieceHashAt(this.metainfo, piece));
  }

  /** Writes a good piece. Throws `BuyerError` naming the cause when the disk refuses it. */
  async write(piece: number, data: Uint8Array): Promise<void> {
    faultPoint('piece.before-write');
    const problem = await this.writer.write(piece, data);
    if (problem === undefined) {
      faultPoint('piece.after-write');
      return this.watch.written(piece);
    }
    const cause = problem.detail ?? problem.code;
    throw new BuyerError(ExitCode.incomplete, problem.code, `piece ${piece} can't be written: ${cause}`);
  }

  async close(): Promise<void> {
    const problem = await this.writer.close();
    if (problem !== undefined) {
      throw new BuyerError(ExitCode.incomplete, problem.code, `the download can't be completed: ${problem.code}`);
    }
  }
}
