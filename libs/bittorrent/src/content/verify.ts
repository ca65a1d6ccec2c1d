import { pieceHashAt, pieceLengthAt } from '../metainfo/metainfo.js';
import { PieceSet } from '../piece-set.js';
import type { ContentError } from './errors.js';
import type { Content } from './location.js';
import type { PieceLoader } from './piece-loader.js';
import { spansOfPiece } from './spans.js';

export interface VerifyOptions {
  /** Ends the run early; the report then says `aborted`. */
  readonly signal?: AbortSignal;
  /** Called after each piece. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Stop once this many pieces have failed. Default: check everything. */
  readonly stopAfterProblems?: number;
  /** Pieces that are known not to be there, which need not be read. Default: none. */
  readonly isAbsent?: (piece: number) => boolean;
}

export interface VerifyProgress {
  readonly checkedPieces: number;
  readonly goodPieces: number;
  readonly totalPieces: number;
}

export interface VerifyReport {
  /** Pieces whose bytes are there and right. */
  readonly good: PieceSet;
  readonly checkedPieces: number;
  /** The first problems, at most 20, each naming its piece and, where known, its file. */
  readonly problems: readonly ContentError[];
  /** How many pieces failed in all. */
  readonly problemCount: number;
  readonly aborted: boolean;
}

const MAX_PROBLEMS_REPORTED = 20;
/** Pieces in flight: one being hashed and one being read. */
const CONCURRENCY = 2;

/** Reads the whole content once and hashes every piece. Missing files are reported per piece; never rejects. */
export async function verifyContent(
  content: Content,
  loader: PieceLoader,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { metainfo } = content;
  const good = new PieceSet(metainfo.pieceCount);
  const problems: ContentError[] = [];
  const stopAfter = options.stopAfterProblems ?? Infinity;
  let problemCount = 0;
  let checkedPieces = 0;
  let next = 0;

  const mayGoOn = (): boolean =>
    next < metainfo.pieceCount && problemCount < stopAfter && options.signal?.aborted !== true;

  const checkInTurn = async (): Promise<void> => {
    const memory = new SharedArrayBuffer(metainfo.pieceLengthBytes);
    while (mayGoOn()) {
      const piece = next++;
      const isAbsent = options.isAbsent?.(piece) === true;
      const problem: ContentError | undefined = isAbsent
        ? { code: 'content-missing' }
        : await loader.load({
            memory,
            lengthBytes: pieceLengthAt(metainfo, piece),
            spans: spansOfPiece(content, piece),
            expectedHash: pieceHashAt(metainfo, piece),
            priority: 'verification',
          });
      if (problem?.code === 'aborted') return;
      checkedPieces++;
      if (problem === undefined) good.add(piece);
      else {
        problemCount++;
        if (problems.length < MAX_PROBLEMS_REPORTED)
          problems.push({ path: firstPath(content, piece), ...problem, piece });
      }
      options.onProgress?.({ checkedPieces, goodPieces: good.count, totalPieces: metainfo.pieceCount });
    }
  };

  await Promise.all(Array.from({ length: CONCURRENCY }, checkInTurn));
  const aborted = checkedPieces < metainfo.pieceCount && problemCount < stopAfter;
  return { good, checkedPieces, problems, problemCount, aborted };
}

/** The first file that a piece touches: the best hint for people where only the hash is wrong. */
function firstPath(content: Content, piece: number): string {
  return spansOfPiece(content, piece).find((span) => span.path !== undefined)?.path ?? '';
}
