/**
 * What can happen to one connection. Peer frames arrive raw; everything else is the host speaking: its user, its clock,
 * its disk, its channel service.
 */

import type { BuyerTerms, Outpoint, SellerTerms } from '@seedfleet/wire';

import type { HostReason } from './codes.js';

/** Frames and the transport. */
export type TransportEvent =
  /**
   * One extended message (BEP 10). Id 0 carries an extended handshake body. The payload may be a view into a receive
   * buffer: the machine keeps nothing of it beyond the step unless it copies.
   */
  | { readonly type: 'received'; readonly id: number; readonly payload: Uint8Array }
  /**
   * The header of an extended message announced more payload than `inboundLimitBytes` allows: the host stopped reading.
   */
  | { readonly type: 'received-oversized'; readonly id: number }
  /** The transport closed, whoever closed it. */
  | { readonly type: 'disconnected' };

/** The local user or service. */
export type LocalEvent =
  /** Run the paid session: sends the install handshake. Also re-installs after `stop`. */
  | { readonly type: 'start' }
  /** Leave the paid session but keep the connection: sends the uninstall handshake. */
  | { readonly type: 'stop' }
  /** Be an observer, from now on or once the extension is installed. */
  | { readonly type: 'observe' }
  /**
   * Be a seller. Terms come by `quote`, which the machine asks for with `quote-wanted` once it may announce: at once, or
   * when the peer's `buy` or `hold-expired` arrives if `holdSell` is on.
   */
  | { readonly type: 'sell' }
  /** Be a buyer with these terms; also revises them. */
  | { readonly type: 'buy'; readonly terms: BuyerTerms }
  /** Close the connection for the host's own reason; ends a running channel first. */
  | { readonly type: 'close'; readonly reason: HostReason };

/** The host of a seller. */
export type SellerEvent =
  /** The hold on `sell` has lasted long enough. */
  | { readonly type: 'hold-expired' }
  /**
   * Terms for this connection: announced as index 0 on entering sell mode, as index + 1 afterwards. Frozen past
   * `joining_contract`: then dropped with a note (hazards H4, H20).
   */
  | { readonly type: 'quote'; readonly terms: SellerTerms }
  /** Answer to `join-wanted`: a channel is stored with these keys. */
  | {
      readonly type: 'join-accepted';
      readonly invitation: number;
      /** 33 bytes, fresh for this join. */
      readonly sellerPublicKey: Uint8Array;
      /** 20 bytes. */
      readonly sellerKeyHash: Uint8Array;
    }
  /** Answer to `join-wanted`: no. With better terms the peer may invite again, without the connection closes. */
  | { readonly type: 'join-refused'; readonly invitation: number; readonly revisedTerms?: SellerTerms }
  /** Answer to `funding-announced`, and every later change of mind. */
  | { readonly type: 'funding-verdict'; readonly verdict: FundingVerdict }
  /** The piece asked for by `load-piece` is in memory, hash-checked. */
  | { readonly type: 'piece-loaded'; readonly entry: number }
  /** It could not be read or did not match its hash (hazards H6). */
  | { readonly type: 'piece-unreadable'; readonly entry: number }
  /** Payments up to this number are durable: frees window slots. */
  | { readonly type: 'payments-stored'; readonly paymentNumber: number }
  /** No new pieces until `resume-serving`: lost lease, memory pressure. Payments still count. */
  | { readonly type: 'pause-serving' }
  | { readonly type: 'resume-serving' }
  /** End the channel now and close: deadline, shutdown, conflict… */
  | { readonly type: 'end-channel'; readonly reason: HostReason };

/** What may be served on a channel (architecture, step 3). */
export type FundingVerdict =
  /** Nothing yet; requests queue. */
  | { readonly kind: 'wait' }
  /** Deliver at most so many bytes in the channel's life. */
  | { readonly kind: 'serve-bytes'; readonly allowanceBytes: number }
  /** Deliver up to kCap. */
  | { readonly kind: 'serve-all' }
  /** End the channel and close; the reason is the host's own code. */
  | { readonly kind: 'refuse'; readonly reason: string };

/** The session above a buyer connection. */
export type BuyerEvent =
  /** Ask the seller for a speed test of so many bytes. */
  | { readonly type: 'test-speed'; readonly sizeBytes: number }
  /** Accept the seller's latest terms. */
  | { readonly type: 'invite' }
  /** The contract is funded and broadcast: announce this connection's output. */
  | { readonly type: 'contract-ready'; readonly funding: BuyerFunding }
  /** Request a piece. */
  | { readonly type: 'request-piece'; readonly piece: number }
  /** A received piece was good: pay for it, unless its request was paid politely before. */
  | { readonly type: 'piece-good'; readonly piece: number }
  /** It failed its hash. */
  | { readonly type: 'piece-bad'; readonly piece: number }
  /** Pay politely for every unanswered request (session behaviour §8). */
  | { readonly type: 'pay-outstanding' };

/** One funding output and what signs for it. */
export interface BuyerFunding {
  /** Value of the output, satoshi. */
  readonly valueSat: bigint;
  readonly outpoint: Outpoint;
  /** 33 bytes. */
  readonly buyerPublicKey: Uint8Array;
  /** 20 bytes: destination of the change. */
  readonly buyerKeyHash: Uint8Array;
  /** Deterministic (RFC 6979) low-S ECDSA over a 32-byte digest by this output's contract key; DER without hash type. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
}

export type ConnectionEvent = TransportEvent | LocalEvent | SellerEvent | BuyerEvent;
