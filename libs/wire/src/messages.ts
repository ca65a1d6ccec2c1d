/**
 * The eleven JoyStream messages as values (wire protocol §6). Integers of 64 bits are bigint, satoshi where money is
 * meant. Byte fields are views into the received frame, never copies: a holder that keeps one beyond the event that
 * carried it must copy it.
 */

/** Message names in the canonical order in which ids are given out, without the `js_` prefix (wire protocol §2). */
export const MESSAGE_NAMES = [
  'observe',
  'buy',
  'sell',
  'join_contract',
  'joining_contract',
  'ready',
  'request_full_piece',
  'full_piece',
  'payment',
  'speedTestRequest',
  'speedTestPayload',
] as const;

export type MessageName = (typeof MESSAGE_NAMES)[number];

/** What a buyer is ready to accept, from `buy`. */
export interface BuyerTerms {
  /** Satoshi per kB (1000 bytes) of the funding transaction. u64. */
  readonly maxContractFeePerKb: bigint;
  /** Longest lock, in units of 512 s. u16. */
  readonly maxLock: number;
  /** Satoshi per piece. u64. */
  readonly maxPrice: bigint;
  /** u32. */
  readonly minNumberOfSellers: number;
}

/** What a seller asks for, from `sell`. */
export interface SellerTerms {
  /** Satoshi per kB (1000 bytes) of the funding transaction. u64. */
  readonly minContractFeePerKb: bigint;
  /** The channel's lock, in units of 512 s. u16. */
  readonly minLock: number;
  /** The channel's price, satoshi per piece. u64. */
  readonly minPrice: bigint;
  /** Most sellers tolerated in one funding transaction. u32. */
  readonly maxSellers: number;
  /** Total fee of the settlement transaction, satoshi. u64. */
  readonly settlementFee: bigint;
}

/** A transaction output as the wire names it. */
export interface Outpoint {
  /** 32 bytes in display order, the order of RPC and block explorers. */
  readonly txid: Uint8Array;
  /** Output index. u32. */
  readonly index: number;
}

export type Message =
  | { readonly type: 'observe' }
  | { readonly type: 'buy'; readonly terms: BuyerTerms }
  | { readonly type: 'sell'; readonly terms: SellerTerms; readonly index: number }
  | { readonly type: 'join_contract'; readonly index: number }
  | {
      readonly type: 'joining_contract';
      /** 33 bytes, compressed, on the curve. */
      readonly sellerPublicKey: Uint8Array;
      /** 20 bytes: P2PKH destination of the earnings. */
      readonly sellerKeyHash: Uint8Array;
    }
  | {
      readonly type: 'ready';
      /** Value of the funding output, satoshi. u64. */
      readonly value: bigint;
      readonly outpoint: Outpoint;
      /** 33 bytes, compressed, on the curve. */
      readonly buyerPublicKey: Uint8Array;
      /** 20 bytes: P2PKH destination of the change. */
      readonly buyerKeyHash: Uint8Array;
    }
  /** The piece index is read as a signed 32-bit integer, so it may be negative (invalid). */
  | { readonly type: 'request_full_piece'; readonly piece: number }
  | { readonly type: 'full_piece'; readonly data: Uint8Array }
  /** DER signature without the sighash byte, at most 73 bytes; not yet checked for form. */
  | { readonly type: 'payment'; readonly signature: Uint8Array }
  | { readonly type: 'speedTestRequest'; readonly size: number }
  | { readonly type: 'speedTestPayload'; readonly data: Uint8Array };
