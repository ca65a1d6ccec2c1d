/** Read ahead of each reader, so that a stall of a seller is not seen: some seconds of a film, and at least two pieces. */
const READ_AHEAD_BYTES = 32 * 1024 * 1024;
const LEAST_READ_AHEAD_PIECES = 2;

export interface Reader {
  /** Next piece that it needs. */
  piece: number;
  /** Piece after the last that it asked for. */
  readonly endPiece: number;
}

/** Who reads where, and which pieces are therefore to be bought first: where a reader waits, then what lies ahead. */
export class Readers {
  /** The newest last: a seek is the newest. */
  private readonly open: Reader[] = [];
  private readonly aheadPieces: number;

  constructor(pieceLengthBytes: number) {
    this.aheadPieces = Math.max(LEAST_READ_AHEAD_PIECES, Math.ceil(READ_AHEAD_BYTES / pieceLengthBytes));
  }

  add(reader: Reader): void {
    this.open.push(reader);
  }

  remove(reader: Reader): void {
    const place = this.open.indexOf(reader);
    if (place >= 0) this.open.splice(place, 1);
  }

  /** Most urgent first, without those that are there. */
  wanted(isThere: (piece: number) => boolean): number[] {
    const pieces = new Set<number>();
    for (const { piece, endPiece } of [...this.open].reverse()) {
      for (let next = piece; next < Math.min(endPiece, piece + this.aheadPieces); next += 1) {
        if (!isThere(next)) pieces.add(next);
      }
    }
    return [...pieces];
  }
}
