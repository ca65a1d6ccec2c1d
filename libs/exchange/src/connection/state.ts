import type { SettlementTemplate } from '@seedfleet/payment-channel';
import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';

import type { ConnectionConfig } from '../config.js';
import type { PeerMode } from '../effects.js';
import type { ExtensionState } from '../extension/extension.js';
import type { Outbox } from '../outbox.js';
import type { Delivery } from '../seller/delivery.js';

/** What the local side wants to be, whether or not it could announce it yet. */
export type WantedMode =
  | { readonly kind: 'none' }
  | { readonly kind: 'observe' }
  | { readonly kind: 'sell' }
  | { readonly kind: 'buy'; readonly terms: BuyerTerms };

/** A seller's quote as announced. */
export interface Quote {
  readonly terms: SellerTerms;
  readonly index: number;
}

/** States of a seller (state machine §3). */
export type SellerRole =
  /** `sell` is not sent yet: waiting for the peer's `buy`, the host's timer, or the host's terms. */
  | { readonly kind: 'holding' }
  /** Announced; S.Ready. S.Test is transient and part of it. */
  | { readonly kind: 'selling'; readonly quote: Quote }
  /** The peer accepted the quote; the host decides. S.Invited. */
  | { readonly kind: 'invited'; readonly quote: Quote }
  /** `joining_contract` is sent; waiting for `ready`. S.Joined. */
  | {
      readonly kind: 'joined';
      readonly quote: Quote;
      readonly sellerPublicKey: Uint8Array;
      readonly sellerKeyHash: Uint8Array;
    }
  /** The buyer named its funding. S.Serving; whether pieces go is the verdict's matter. */
  | ServingRole;

export interface ServingRole {
  readonly kind: 'serving';
  readonly template: SettlementTemplate;
  readonly delivery: Delivery;
  /** The last valid payment's signature. */
  signature: Uint8Array | undefined;
}

/** A seller's side of a purchase, as it joined. */
export interface JoinedSeller {
  readonly terms: SellerTerms;
  readonly sellerPublicKey: Uint8Array;
  readonly sellerKeyHash: Uint8Array;
}

/** States of a buyer (state machine §4). */
export type BuyerRole =
  /** B.Ready. */
  | { readonly kind: 'shopping' }
  /** B.Test. */
  | { readonly kind: 'testing'; readonly sizeBytes: number }
  /** `join_contract` is sent for these terms. B.Asked. */
  | { readonly kind: 'asked'; readonly terms: SellerTerms }
  /** The seller joined. B.Prepare. */
  | { readonly kind: 'preparing'; readonly seller: JoinedSeller }
  /** Requesting and paying. B.Loading. */
  | LoadingRole;

export interface LoadingRole {
  readonly kind: 'loading';
  readonly template: SettlementTemplate;
  readonly sign: (digest: Uint8Array) => Uint8Array;
  /** Most payments that may be signed. */
  readonly cap: number;
  requested: number;
  paid: number;
  /** Requests not yet answered, oldest first. */
  readonly open: OpenRequest[];
  /** Pieces received whose hash verdict is due. */
  readonly unverified: OpenRequest[];
}

export interface OpenRequest {
  readonly piece: number;
  /** Paid politely before the piece arrived: never to be paid again. */
  prepaid: boolean;
}

export type Role = { readonly kind: 'init' } | { readonly kind: 'observing' } | SellerRole | BuyerRole;

/**
 * One connection. Changed in place by the step functions; opaque to hosts, which ask `connectionStatus`.
 */
export interface ConnectionState {
  readonly config: ConnectionConfig;
  readonly outbox: Outbox;
  readonly extension: ExtensionState;
  wanted: WantedMode;
  /** Survives changes of our own mode, not the end of the session. */
  peerMode: PeerMode;
  role: Role;
  /** Serial number of the latest invitation; never reused on a connection. */
  invitation: number;
  /** Whether the one speed test of this installed session was used. */
  speedTested: boolean;
  /** Whether we were a buyer at any time. */
  hasBought: boolean;
  /** Largest speed test that we asked for as a buyer. */
  askedTestBytes: number;
}

export function isSeller(role: Role): role is SellerRole {
  switch (role.kind) {
    case 'holding':
    case 'selling':
    case 'invited':
    case 'joined':
    case 'serving':
      return true;
    default:
      return false;
  }
}

export function isBuyer(role: Role): role is BuyerRole {
  return role.kind !== 'init' && role.kind !== 'observing' && !isSeller(role);
}
