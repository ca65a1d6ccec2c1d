import type { Peer, PieceLease } from '@seedfleet/bittorrent';
import type { ConnectionEvent, SellerEffect } from '@seedfleet/exchange';
import { faultPoint } from '@seedfleet/service-kit';
import { encodeFrame } from '@seedfleet/wire';
import type { TorrentOnSale } from '../content/shelf.js';
import type { Origin } from '../limits/origin.js';
import { idsWith } from './message-frames.js';
import type { SellingServices } from './services.js';

type LoadPiece = Extract<SellerEffect, { type: 'load-piece' }>;
type DeliverPiece = Extract<SellerEffect, { type: 'deliver-piece' }>;

/** Pause before a piece is asked for again when piece memory is exhausted. */
const BUSY_RETRY_MS = 50;

/** Payload of `request_full_piece`: a piece index. */
const REQUEST_BYTES = 4;

interface Item {
  readonly bytes: number;
  /** Ends a wait for exposure; undefined once it is reserved. */
  giveUp: (() => void) | undefined;
  lease: PieceLease | undefined;
  discarded: boolean;
  delivered: boolean;
  /** A polite buyer may pay for a request before its piece leaves (hazard H26). */
  paid: boolean;
}

/**
 * The pieces of one channel between disk and socket. A piece is read when the exchange asks for it and exposure allows,
 * held until the system has taken its bytes, and counted as exposure until its payment is durable.
 */
export class PieceDelivery {
  /** By entry number; those delivered stay until paid. */
  private readonly items = new Map<number, Item>();

  constructor(
    private readonly services: SellingServices,
    private readonly torrent: TorrentOnSale,
    private readonly origin: Origin,
    private readonly peer: Peer,
    private readonly dispatch: (event: ConnectionEvent) => void,
    /** Bytes left for the peer: it is not stalling. */
    private readonly onProgress: () => void,
  ) {}

  /**
   * A buyer that pays has just requested a piece (the payload says which): it is read while its last payment is still
   * on its way to the broker. Requests ahead of the window wait in the shared cache, at most a few (hazard H33).
   */
  expect(request: Uint8Array): void {
    if (request.length !== REQUEST_BYTES || this.items.size > this.services.policy.window.maxPieces) return;
    const piece = new DataView(request.buffer, request.byteOffset).getUint32(0);
    if (piece < this.torrent.metainfo.pieceCount) this.services.pieces.prefetch(this.torrent.content, piece);
  }

  load({ entry, piece, sizeBytes }: LoadPiece): void {
    const item: Item = {
      bytes: sizeBytes,
      giveUp: undefined,
      lease: undefined,
      discarded: false,
      delivered: false,
      paid: false,
    };
    this.items.set(entry, item);
    let reserved = false;
    const giveUp = this.services.exposure.reserve(this.origin, sizeBytes, () => {
      reserved = true;
      item.giveUp = undefined;
      void this.read(entry, piece, item);
    });
    if (!reserved) item.giveUp = giveUp;
  }

  deliver({ id, entry, sizeBytes }: DeliverPiece): void {
    const { metrics, demand, nowMs } = this.services;
    const item = this.items.get(entry);
    const lease = item?.lease;
    if (item === undefined || lease === undefined) throw new Error(`entry ${entry} is delivered before it is loaded`);
    faultPoint('node.piece.before-send');
    const frame = encodeFrame({ type: 'full_piece', data: lease.data }, idsWith('full_piece', id));
    metrics.piecesSent.inc();
    metrics.bytesSent.inc(sizeBytes);
    const startedMs = nowMs();
    this.peer.sendFrame(frame.header, frame.body, {
      lane: 'bulk',
      onFlushed: (sent) => {
        lease.release();
        this.onProgress();
        if (!sent) return;
        demand.count(this.torrent.infoHash, 'sentBytes', sizeBytes);
        // A piece that leaves at once counts as a millisecond, so that no speed is without end.
        demand.count(this.torrent.infoHash, 'sentMs', Math.max(1, Math.round(nowMs() - startedMs)));
      },
    });
    faultPoint('node.piece.after-send');
    item.delivered = true;
    if (item.paid) this.settle(entry, item);
  }

  /** Bytes of the piece that an entry asks for; 0 when it has not come up. */
  bytesOf(entry: number): number {
    return this.items.get(entry)?.bytes ?? 0;
  }

  /** A loaded or loading piece that will not be delivered. */
  discard(entry: number): void {
    const item = this.items.get(entry);
    if (item === undefined) return;
    item.discarded = true;
    item.lease?.release();
    this.settle(entry, item);
  }

  /** Payments up to `k` are durable: their pieces are exposure no more, once they have left. */
  stored(k: number): void {
    for (const [entry, item] of this.items) {
      if (entry > k) break;
      item.paid = true;
      if (item.delivered) this.settle(entry, item);
    }
  }

  /** The channel is over; what was delivered and not paid is lost, not in flight. */
  end(): void {
    for (const [entry, item] of this.items) this.settle(entry, item);
  }

  private settle(entry: number, item: Item): void {
    this.items.delete(entry);
    if (item.giveUp === undefined) this.services.exposure.release(this.origin, item.bytes);
    else item.giveUp();
  }

  private async read(entry: number, piece: number, item: Item): Promise<void> {
    const startedMs = this.services.nowMs();
    const read = await this.services.pieces.read(this.torrent.content, piece);
    if (item.discarded || this.items.get(entry) !== item) {
      if (read.ok) read.value.release();
      return;
    }
    if (read.ok) {
      item.lease = read.value;
      this.services.metrics.pieceReadSeconds.observe((this.services.nowMs() - startedMs) / 1000);
      return this.dispatch({ type: 'piece-loaded', entry });
    }
    const { code } = read.error;
    this.services.metrics.pieceReadFailures.inc({ code });
    if (code === 'busy') return void setTimeout(() => void this.read(entry, piece, item), BUSY_RETRY_MS);
    if (code === 'aborted') return;
    void this.services.verifier.distrust(this.torrent, read.error);
    this.dispatch({ type: 'piece-unreadable', entry });
  }
}
