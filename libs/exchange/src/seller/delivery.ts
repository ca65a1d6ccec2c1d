/**
 * The delivery pipeline of one funded channel: requests in, pieces out in the order of the requests, never more than the
 * window ahead of the durable payments (session behaviour §4, hazards H25, H33).
 *
 * Requests, deliveries and payments are all counted from 1 on a channel, and the n-th delivery and the n-th payment
 * belong to the n-th request, so one number names all three: the entry.
 */

import type { SellerLimits, TorrentShape } from '../config.js';
import type { FundingVerdict } from '../events.js';
import type { Outbox } from '../outbox.js';
import { isPiece, pieceSizeBytes } from '../pieces.js';
import { windowPieces } from './window.js';

interface Entry {
  readonly piece: number;
  readonly sizeBytes: number;
  stage: 'queued' | 'loading' | 'loaded' | 'delivered';
}

export interface Delivery {
  /** Requests accepted. */
  requested: number;
  /** Pieces handed to the transport. */
  delivered: number;
  deliveredBytes: number;
  /** Payments verified. */
  paid: number;
  /** Payments known to be durable; never above `paid`. */
  stored: number;
  /** Most payments that the funding can carry. */
  readonly cap: number;
  verdict: FundingVerdict;
  paused: boolean;
  /** Requests not yet both delivered and durably paid; the first is number `settled + 1`. Bounded by the queue's cap. */
  readonly entries: Entry[];
  settled: number;
}

export function newDelivery(cap: number): Delivery {
  return {
    requested: 0,
    delivered: 0,
    deliveredBytes: 0,
    paid: 0,
    stored: 0,
    cap,
    verdict: { kind: 'wait' },
    paused: false,
    entries: [],
    settled: 0,
  };
}

export type RequestOutcome = 'accepted' | 'beyond-cap' | 'invalid-piece' | 'queue-full';

/** Appends a request. Duplicates are served, and paid, again. */
export function acceptRequest(
  delivery: Delivery,
  piece: number,
  torrent: TorrentShape,
  limits: SellerLimits,
): RequestOutcome {
  if (!isPiece(torrent, piece)) return 'invalid-piece';
  if (delivery.requested >= delivery.cap) return 'beyond-cap';
  const open = delivery.requested - Math.min(delivery.paid, delivery.delivered);
  if (open >= limits.maxQueuedRequests) return 'queue-full';
  delivery.requested += 1;
  delivery.entries.push({ piece, sizeBytes: pieceSizeBytes(torrent, piece), stage: 'queued' });
  return 'accepted';
}

/** Marks payments up to `paymentNumber` durable; numbers never paid and old numbers change nothing. */
export function confirmStored(delivery: Delivery, paymentNumber: number): void {
  delivery.stored = Math.max(delivery.stored, Math.min(paymentNumber, delivery.paid));
  forgetSettled(delivery);
}

/** Marks an entry loaded. False if it was not being loaded. */
export function confirmLoaded(delivery: Delivery, entry: number): boolean {
  const found = delivery.entries[entry - delivery.settled - 1];
  if (found?.stage !== 'loading') return false;
  found.stage = 'loaded';
  return true;
}

/**
 * Loads and delivers what may go now: in order, inside the window, within the allowance, unless paused. Only pieces that
 * may go at once are loaded, and no more of them than the window, so a connection never holds more in memory.
 */
export function pump(delivery: Delivery, limits: SellerLimits, outbox: Outbox): void {
  if (delivery.paused) return;
  const { verdict } = delivery;
  if (verdict.kind === 'wait' || verdict.kind === 'refuse') return;
  const window = windowPieces(limits.window, delivery.stored);
  let unpaidBytes = 0;
  let heldBytes = 0;
  for (let number = delivery.settled + 1; number <= delivery.requested; number += 1) {
    const entry = delivery.entries[number - delivery.settled - 1]!;
    const ahead = number - delivery.stored;
    if (ahead > 0) {
      unpaidBytes += entry.sizeBytes;
      if (ahead > window || (ahead > 1 && unpaidBytes > limits.window.maxBytes)) break;
    }
    if (entry.stage === 'delivered') continue;
    const held = number - delivery.delivered;
    heldBytes += entry.sizeBytes;
    if (held > window || (held > 1 && heldBytes > limits.window.maxBytes)) break;
    if (verdict.kind === 'serve-bytes' && delivery.deliveredBytes + heldBytes > verdict.allowanceBytes) break;
    if (entry.stage === 'queued') {
      entry.stage = 'loading';
      outbox.emit({ type: 'load-piece', entry: number, piece: entry.piece, sizeBytes: entry.sizeBytes });
    } else if (entry.stage === 'loaded' && held === 1 && deliver(delivery, number, entry, outbox)) {
      heldBytes -= entry.sizeBytes;
    }
  }
  forgetSettled(delivery);
}

function deliver(delivery: Delivery, number: number, entry: Entry, outbox: Outbox): boolean {
  const id = outbox.idOf('full_piece');
  if (id === undefined) return false;
  entry.stage = 'delivered';
  delivery.delivered = number;
  delivery.deliveredBytes += entry.sizeBytes;
  outbox.emit({ type: 'deliver-piece', id, entry: number, piece: entry.piece, sizeBytes: entry.sizeBytes });
  return true;
}

function forgetSettled(delivery: Delivery): void {
  const settled = Math.min(delivery.stored, delivery.delivered);
  if (settled === delivery.settled) return;
  delivery.entries.splice(0, settled - delivery.settled);
  delivery.settled = settled;
}

/** Tells the host to forget pieces that are loading or loaded: the channel is over. */
export function discardLoaded(delivery: Delivery, outbox: Outbox): void {
  delivery.entries.forEach((entry, position) => {
    if (entry.stage !== 'loading' && entry.stage !== 'loaded') return;
    outbox.emit({ type: 'discard-piece', entry: delivery.settled + position + 1 });
  });
  delivery.entries.length = 0;
}
