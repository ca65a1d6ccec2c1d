import { pieceLengthAt, type Block, type Metainfo, type Peer } from '@seedfleet/bittorrent';

/** What every client asks for at once. */
const BLOCK_BYTES = 16 * 1024;
/** Blocks asked for ahead of their arrival: enough for a fast line. */
const PIPELINE = 32;
/** A peer that owes blocks and sends none for so long gives its piece back to the others. */
const SILENCE_MS = 30_000;

export interface FreePieces {
  /** A missing piece for this peer, now set aside for it; undefined where it has none that is missing. */
  next(peer: Peer): number | undefined;
  /** A whole piece, not verified yet. */
  complete(piece: number, data: Uint8Array, connection: number): void;
  /** The piece will not come after all. */
  giveBack(piece: number): void;
}

/** Takes pieces for nothing from one ordinary peer (BEP 3), one piece at a time, for as long as it lets us. */
export class FreeSource {
  private piece: { readonly index: number; readonly data: Uint8Array; asked: number } | undefined;
  private readonly owed = new Map<number, number>();
  private movedMs = performance.now();

  constructor(
    private readonly connection: number,
    private readonly peer: Peer,
    private readonly metainfo: Metainfo,
    private readonly pieces: FreePieces,
  ) {
    peer.on('unchoked', () => this.proceed());
    peer.on('remotePieces', () => peer.showInterest());
    peer.on('choked', () => this.drop());
    peer.on('blockRejected', () => this.drop());
    peer.on('block', (block, data) => this.onBlock(block, data));
    peer.on('closed', () => this.drop());
    peer.showInterest();
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    if (this.piece !== undefined && nowMs - this.movedMs > SILENCE_MS) return this.peer.close('silent');
    this.proceed();
  }

  private proceed(): void {
    if (this.peer.closedReason !== undefined || this.peer.isChoking) return;
    if (this.piece === undefined) {
      const index = this.pieces.next(this.peer);
      if (index === undefined) return;
      this.piece = { index, data: new Uint8Array(pieceLengthAt(this.metainfo, index)), asked: 0 };
      this.movedMs = performance.now();
    }
    const { index, data } = this.piece;
    while (this.owed.size < PIPELINE && this.piece.asked < data.length) {
      const offsetBytes = this.piece.asked;
      const lengthBytes = Math.min(BLOCK_BYTES, data.length - offsetBytes);
      this.piece.asked += lengthBytes;
      this.owed.set(offsetBytes, lengthBytes);
      this.peer.requestBlock({ piece: index, offsetBytes, lengthBytes });
    }
  }

  private onBlock(block: Block, data: Uint8Array): void {
    const { piece } = this;
    // One that crossed our giving up its piece; a peer that goes on with those is idle for us, and harmless.
    if (piece?.index !== block.piece || this.owed.get(block.offsetBytes) !== data.length) return;
    this.owed.delete(block.offsetBytes);
    piece.data.set(data, block.offsetBytes);
    this.movedMs = performance.now();
    if (this.owed.size > 0 || piece.asked < piece.data.length) return this.proceed();
    this.piece = undefined;
    this.pieces.complete(piece.index, piece.data, this.connection);
    this.proceed();
  }

  private drop(): void {
    const { piece } = this;
    this.piece = undefined;
    this.owed.clear();
    if (piece !== undefined) this.pieces.giveBack(piece.index);
  }
}
