import { createHash } from 'node:crypto';
import { pieceHashAt, pieceLengthAt } from '../../metainfo/metainfo.js';
import type { PieceSet } from '../../piece-set.js';
import type { ContentError } from '../errors.js';
import type { Content } from '../location.js';
import { spansOfPiece } from '../spans.js';
import type { ContentWriter } from '../writer.js';
import type { ContentSource } from './content-source.js';
import type { SourceError } from './source-error.js';

export interface FetchOptions {
  /** Ends the run; it then returns undefined with pieces missing. */
  readonly signal: AbortSignal;
  /** Called after each piece that was verified and written. */
  readonly onPiece?: (lengthBytes: number) => void;
}

/** Slowest transfer that is put up with, on average over a piece, and what a piece may take besides. */
const MIN_BYTES_PER_MS = 32;
const PIECE_GRACE_MS = 60_000;

/**
 * Fetches the pieces that `have` lacks, in order, verifies each before it is written, and adds it to `have`. Returns the
 * first problem, or undefined; a later call with the same set goes on where this one ended.
 */
export async function fetchContent(
  content: Content,
  have: PieceSet,
  source: ContentSource,
  writer: ContentWriter,
  { signal, onPiece }: FetchOptions,
): Promise<SourceError | ContentError | undefined> {
  const { metainfo } = content;
  const memory = new Uint8Array(metainfo.pieceLengthBytes);
  for (let piece = 0; piece < metainfo.pieceCount; piece++) {
    if (signal.aborted) return undefined;
    if (have.has(piece)) continue;
    const data = memory.subarray(0, pieceLengthAt(metainfo, piece));
    const problem = await fetchPiece(content, piece, source, data, signal);
    if (signal.aborted) return undefined;
    if (problem !== undefined) {
      source.drop();
      return { ...problem, piece };
    }
    const unwritten = await writer.write(piece, data);
    if (unwritten !== undefined) return unwritten;
    have.add(piece);
    onPiece?.(data.length);
  }
  return undefined;
}

async function fetchPiece(
  content: Content,
  piece: number,
  source: ContentSource,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<SourceError | undefined> {
  const late = AbortSignal.timeout(Math.ceil(PIECE_GRACE_MS + data.length / MIN_BYTES_PER_MS));
  const given = (): void => source.drop();
  late.addEventListener('abort', given, { once: true });
  // Hashed as the bytes come: a large piece at once would hold up everything else in this process.
  const hash = createHash('sha1');
  try {
    let at = 0;
    for (const { path, fileIndex, fileOffsetBytes, lengthBytes } of spansOfPiece(content, piece)) {
      const into = data.subarray(at, at + lengthBytes);
      at += lengthBytes;
      if (path === undefined) {
        into.fill(0);
        hash.update(into);
        continue;
      }
      const problem = await source.read(fileIndex, fileOffsetBytes, into, signal, (bytes) => hash.update(bytes));
      if (late.aborted) return { code: 'too-slow', detail: `less than ${MIN_BYTES_PER_MS} kB/s` };
      if (problem !== undefined) return problem;
    }
  } finally {
    late.removeEventListener('abort', given);
  }
  if (hash.digest().equals(pieceHashAt(content.metainfo, piece))) return undefined;
  return { code: 'source-corrupt', detail: "the bytes are not the torrent's" };
}
