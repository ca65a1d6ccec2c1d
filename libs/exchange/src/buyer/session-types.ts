/**
 * The buyer's session over any number of connections to sellers of one torrent: events in, effects out. The session owns
 * one connection machine per connection; the host names connections by numbers of its own.
 */

import type { Ecdsa, Network } from '@seedfleet/payment-channel';
import type { BuyerTerms, Outpoint, SellerTerms } from '@seedfleet/wire';

import type { ChannelEndReason, HostReason } from '../codes.js';
import type { PeerIdentity, TorrentShape } from '../config.js';
import type { TransportEffect } from '../effects.js';
import type { TransportEvent } from '../events.js';

/** Host's name of a connection. */
export type ConnectionId = number;

export interface BuyerSessionConfig {
  readonly network: Network;
  readonly torrent: TorrentShape;
  /** Curve arithmetic: native where present. */
  readonly ecdsa: Ecdsa;
  readonly terms: BuyerTerms;
  /** Sellers to pick for a contract; fewer are taken if not so many joined, but never fewer than `minNumberOfSellers`. */
  readonly sellers: number;
  /** Speed test before inviting, in bytes; undefined switches it off. */
  readonly speedTestBytes: number | undefined;
  /** Most unanswered requests per seller; the reference's 4. */
  readonly maxOpenRequests: number;
  /** Pieces that need not be bought. */
  readonly have?: Iterable<number>;
}

/** Size of the reference's speed test (session behaviour §7). */
export const DEFAULT_SPEED_TEST_BYTES = 500_000;

/** The reference's number of unanswered requests per seller (session behaviour §8). */
export const DEFAULT_MAX_OPEN_REQUESTS = 4;

export type BuyerSessionEvent =
  /** A BitTorrent handshake with BEP 10 finished. */
  | { readonly type: 'connected'; readonly connection: ConnectionId; readonly peer: PeerIdentity }
  /** A frame, or the end, of a connection; `atMs` is the host's monotonic clock and measures speed tests. After a `close` effect nothing more need be sent. */
  | {
      readonly type: 'transport';
      readonly connection: ConnectionId;
      readonly event: TransportEvent;
      readonly atMs: number;
    }
  /** Time passes: about once a second, so that an overdue seller is seen while nobody else sends. */
  | { readonly type: 'tick'; readonly atMs: number }
  /** Pick sellers among those that joined and prepare a contract. */
  | { readonly type: 'choose' }
  /** Answer to `prepare-contract`: the funding transaction exists and is signed, but is not broadcast. */
  | { readonly type: 'contract-prepared'; readonly contract: number; readonly fundings: readonly SessionFunding[] }
  /** Answer to `prepare-contract` or `broadcast-contract`: it could not be made. */
  | { readonly type: 'contract-failed'; readonly contract: number }
  /** Answer to `store-refunds`: they are durable. */
  | { readonly type: 'refunds-stored'; readonly contract: number }
  /** Answer to `broadcast-contract`: our node took it. */
  | { readonly type: 'contract-broadcast'; readonly contract: number }
  /** Answer to `verify-piece`. */
  | {
      readonly type: 'piece-verdict';
      readonly connection: ConnectionId;
      readonly piece: number;
      readonly good: boolean;
    }
  /** A piece came from elsewhere. */
  | { readonly type: 'piece-obtained'; readonly piece: number }
  /** The host gets this piece elsewhere: if it is still missing, no seller is asked for it until it is put back. */
  | { readonly type: 'set-aside'; readonly piece: number }
  /** It will not come from elsewhere after all. */
  | { readonly type: 'put-back'; readonly piece: number }
  /** Pieces to buy before all others, in this order; replaces the earlier list. Bounded to `MAX_PREFERRED`. */
  | { readonly type: 'prefer'; readonly pieces: readonly number[] }
  /** New terms; pays what is outstanding first and falls back to inviting. */
  | { readonly type: 'revise-terms'; readonly terms: BuyerTerms }
  /** Give up on one seller. */
  | { readonly type: 'drop-seller'; readonly connection: ConnectionId; readonly reason: HostReason }
  /** Stop buying: pays what is outstanding, then announces `observe`. */
  | { readonly type: 'observe' }
  /** Stop buying: pays what is outstanding, then closes every connection. */
  | { readonly type: 'finish'; readonly reason: HostReason };

/** Most pieces in a `prefer` list. */
export const MAX_PREFERRED = 4_096;

/** A seller picked for the contract, in output order. */
export interface ChosenSeller {
  readonly connection: ConnectionId;
  readonly terms: SellerTerms;
  /** 33 bytes. */
  readonly sellerPublicKey: Uint8Array;
  /** 20 bytes. */
  readonly sellerKeyHash: Uint8Array;
  /** Measured speed test, ms; undefined without one. */
  readonly latencyMs: number | undefined;
}

/** One output of the contract. */
export interface SessionFunding {
  readonly connection: ConnectionId;
  readonly valueSat: bigint;
  readonly outpoint: Outpoint;
  readonly buyerPublicKey: Uint8Array;
  readonly buyerKeyHash: Uint8Array;
  /** Deterministic (RFC 6979) low-S signature over a digest by this output's contract key; DER without hash type. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
}

/** What a refund of one output needs besides the contract's private key, which only the host has. */
export interface RefundData {
  readonly connection: ConnectionId;
  readonly outpoint: Outpoint;
  readonly valueSat: bigint;
  /** Lock in units of 512 s. */
  readonly lockUnits: number;
  readonly buyerPublicKey: Uint8Array;
  readonly sellerPublicKey: Uint8Array;
}

/** Where the session stands. */
export type BuyerPhase =
  /** Looking for sellers; `choose` moves on. */
  | 'inviting'
  /** The host builds the funding transaction. */
  | 'preparing'
  /** Refund data is being stored. */
  | 'storing-refunds'
  /** The funding transaction is being broadcast. */
  | 'broadcasting'
  /** Requesting, verifying and paying. */
  | 'downloading'
  /** All pieces are there. */
  | 'complete'
  /** Stopped by the host. */
  | 'finished';

export type BuyerSessionEffect =
  /** Something to do on one connection. */
  | { readonly type: 'connection'; readonly connection: ConnectionId; readonly effect: TransportEffect }
  /** Sellers that joined and could be chosen now. */
  | { readonly type: 'candidates'; readonly joined: number; readonly enough: boolean }
  /** `choose` came with too few sellers joined. */
  | { readonly type: 'not-enough-sellers'; readonly joined: number; readonly needed: number }
  /** Build and sign one funding transaction with an output per seller in this order, but do not broadcast it. */
  | {
      readonly type: 'prepare-contract';
      /** Serial number of the attempt; answers to an abandoned one are dropped. */
      readonly contract: number;
      readonly sellers: readonly ChosenSeller[];
      /** Largest `minContractFeePerKb` among them, satoshi per 1000 bytes. */
      readonly feeSatPerKb: bigint;
    }
  /** Make these durable before anything is broadcast. */
  | { readonly type: 'store-refunds'; readonly contract: number; readonly refunds: readonly RefundData[] }
  /** Broadcast the prepared funding transaction. */
  | { readonly type: 'broadcast-contract'; readonly contract: number }
  /** A seller left before the broadcast: forget the prepared transaction; nothing was spent. */
  | { readonly type: 'abandon-contract'; readonly contract: number }
  /** Hash a piece, answer with `piece-verdict`. `data` is a view into the receive buffer. */
  | {
      readonly type: 'verify-piece';
      readonly connection: ConnectionId;
      readonly piece: number;
      readonly data: Uint8Array;
    }
  /** A payment was sent. */
  | {
      readonly type: 'paid';
      readonly connection: ConnectionId;
      readonly paymentNumber: number;
      readonly paidSat: bigint;
    }
  /** A funded purchase ended; its deposit returns by the seller's settlement or our refund. */
  | {
      readonly type: 'purchase-ended';
      readonly connection: ConnectionId;
      readonly reason: ChannelEndReason;
      readonly payments: number;
    }
  /** Every seller of the contract is gone or exhausted and pieces are missing: back to inviting. */
  | { readonly type: 'all-sellers-gone'; readonly missing: number }
  /** All pieces are there and every open request is paid for. */
  | { readonly type: 'complete' };
