/** What a connection or session machine is told once, at creation. */

import type { Ecdsa, Network } from '@seedfleet/payment-channel';

/** The peer as the BitTorrent handshake showed it. */
export interface PeerIdentity {
  /** 20 bytes. `-JS` at the start marks a client derived from the reference (wire protocol §4). */
  readonly peerId: Uint8Array;
}

/** How many pieces, and how many bytes, may be delivered and not yet durably paid. */
export interface WindowPolicy {
  /** Pieces allowed before any durable payment. At least 1. */
  readonly startPieces: number;
  /** Durable payments that widen the window by one piece. At least 1. */
  readonly paymentsPerStep: number;
  /** The window never grows past this many pieces. */
  readonly maxPieces: number;
  /** Nor past this many bytes, except that one piece is always allowed. */
  readonly maxBytes: number;
}

/** Window of POLICY: 1 piece, +1 per 4 durable payments, at most 4 pieces and 32 MiB (hazards H25). */
export const DEFAULT_WINDOW: WindowPolicy = {
  startPieces: 1,
  paymentsPerStep: 4,
  maxPieces: 4,
  maxBytes: 32 * 1024 * 1024,
};

/** The torrent as the exchange needs it. */
export interface TorrentShape {
  /** Number of pieces, at least 1. */
  readonly pieces: number;
  /** Nominal piece size. */
  readonly pieceLengthBytes: number;
  /** Total content size; the last piece may be shorter. */
  readonly totalBytes: number;
}

/** Limits of the selling side. */
export interface SellerLimits {
  readonly window: WindowPolicy;
  /** Most requests received and not yet delivered and paid, per connection (hazards H33). */
  readonly maxQueuedRequests: number;
  /** Largest speed test answered, in bytes. */
  readonly maxSpeedTestBytes: number;
  /** Hold `sell` until the peer's `buy` arrives or the host sends `hold_expired`. */
  readonly holdSell: boolean;
}

/** Defaults of POLICY. The hold's 2 s are kept by the host's clock. */
export const DEFAULT_SELLER_LIMITS: SellerLimits = {
  window: DEFAULT_WINDOW,
  maxQueuedRequests: 16,
  maxSpeedTestBytes: 2_000_000,
  holdSell: true,
};

/** Longest that a host may hold `sell` back, in ms (client behaviour §2: delaying it is compatible). */
export const HOLD_SELL_MS = 2_000;

/** Creation parameters of one connection. */
export interface ConnectionConfig {
  readonly network: Network;
  readonly torrent: TorrentShape;
  readonly peer: PeerIdentity;
  /** Curve arithmetic: native where present. */
  readonly ecdsa: Ecdsa;
  readonly seller: SellerLimits;
}
