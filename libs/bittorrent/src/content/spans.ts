import { pieceLengthAt } from '../metainfo/metainfo.js';
import type { Content, LocatedFile } from './location.js';

/** A stretch of one file that makes up part of a piece. */
export interface Span {
  /** Absolute path; undefined where the bytes are padding zeros. */
  readonly path: string | undefined;
  /** Which of the torrent's files. */
  readonly fileIndex: number;
  /** Where the stretch begins in the file. */
  readonly fileOffsetBytes: number;
  readonly lengthBytes: number;
}

/** The stretches of files that make up a piece, in order. `piece` must be below `pieceCount`. */
export function spansOfPiece(content: Content, piece: number): Span[] {
  const { files } = content.location;
  const spans: Span[] = [];
  let at = piece * content.metainfo.pieceLengthBytes;
  let rest = pieceLengthAt(content.metainfo, piece);
  for (let index = fileIndexAt(files, at); rest > 0; index++) {
    const file = files[index];
    if (file === undefined) throw new RangeError(`piece ${piece} lies outside the torrent`);
    const fileOffsetBytes = at - file.offsetBytes;
    const lengthBytes = Math.min(rest, file.lengthBytes - fileOffsetBytes);
    if (lengthBytes > 0) {
      const path = file.padding ? undefined : file.path;
      spans.push({ path, fileIndex: index, fileOffsetBytes, lengthBytes });
    }
    at += lengthBytes;
    rest -= lengthBytes;
  }
  return spans;
}

/** The last file that begins at or before an offset. */
function fileIndexAt(files: readonly LocatedFile[], offsetBytes: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((files[middle]?.offsetBytes ?? 0) <= offsetBytes) low = middle;
    else high = middle - 1;
  }
  return low;
}
