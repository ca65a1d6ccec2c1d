import { isPieceMissing, type BuyerSessionEvent, type BuyerSessionState } from '@seedfleet/exchange';
import type { Metainfo } from '@seedfleet/bittorrent';
import type { Reporter } from '../events.js';
import type { PieceMemory } from './piece-memory.js';
import type { PieceSink } from './piece-sink.js';

export interface PieceIntakeOptions {
  readonly metainfo: Metainfo;
  readonly sink: PieceSink;
  readonly memory: PieceMemory;
  readonly reporter: Reporter;
  readonly session: () => BuyerSessionState;
  readonly feed: (event: BuyerSessionEvent) => void;
  /** The disk refuses a piece: nothing more can be bought. */
  readonly fail: (failure: unknown) => void;
}

/** Takes pieces in, bought or free: each is hashed, written, and only then counts. */
export class PieceIntake {
  bought = 0;
  free = 0;
  have: number;

  constructor(private readonly options: PieceIntakeOptions) {
    this.have = options.sink.had.length;
  }

  /** A seller has sent a piece. Written before it is paid: one that the disk lost would have to be bought again. */
  verify(connection: number, piece: number, data: Uint8Array, seller: string): void {
    const { sink, memory, feed, fail } = this.options;
    const good = sink.isGood(piece, data);
    if (!good) return feed({ type: 'piece-verdict', connection, piece, good });
    sink.write(piece, data).then(() => {
      memory.release(data);
      this.bought += 1;
      feed({ type: 'piece-verdict', connection, piece, good });
      this.written(piece, seller);
    }, fail);
  }

  /** An ordinary peer has sent a piece. Returns whether it was good. */
  takeFree(piece: number, data: Uint8Array, peer: string): boolean {
    const { sink, feed, fail } = this.options;
    if (!sink.isGood(piece, data)) {
      feed({ type: 'put-back', piece });
      return false;
    }
    sink.write(piece, data).then(() => {
      this.free += 1;
      this.written(piece, peer);
      feed({ type: 'piece-obtained', piece });
    }, fail);
    return true;
  }

  /** The last missing piece that a peer has: sellers are asked from the first one on, so the two meet late. */
  setAside(isThere: (piece: number) => boolean): number | undefined {
    const { metainfo, session, feed } = this.options;
    for (let piece = metainfo.pieceCount - 1; piece >= 0; piece -= 1) {
      if (!isPieceMissing(session(), piece) || !isThere(piece)) continue;
      feed({ type: 'set-aside', piece });
      return piece;
    }
    return undefined;
  }

  private written(piece: number, from: string): void {
    this.have += 1;
    const { reporter, metainfo } = this.options;
    reporter.report({ event: 'piece', piece, seller: from, have: this.have, pieces: metainfo.pieceCount });
  }
}
