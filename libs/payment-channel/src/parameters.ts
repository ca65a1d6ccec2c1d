import { MAX_MONEY_SAT } from './amounts.js';
import { equalBytes } from './bytes.js';
import type { Ecdsa } from './ecdsa.js';
import { MAX_LOCK_UNITS } from './lock.js';
import type { Network } from './network.js';

/** A transaction output by name. */
export interface Outpoint {
  /** 32 bytes in display order, the order of the wire, of RPC and of block explorers. */
  readonly txid: Uint8Array;
  /** Output index, u32. */
  readonly index: number;
}

/**
 * Everything that determines a channel's settlements: an immutable snapshot of the accepted `sell`, of
 * `joining_contract` and of `ready` (payment channel specification §1). Later terms never touch it.
 */
export interface ChannelParameters {
  readonly network: Network;
  /** P, satoshi per payment. */
  readonly priceSat: bigint;
  /** L, units of 512 s, 0…65535. */
  readonly lockUnits: number;
  /** F, the whole mining fee of a settlement with a seller output, satoshi. */
  readonly settlementFeeSat: bigint;
  /** V, value of the funding output, satoshi. */
  readonly fundingValueSat: bigint;
  /** O. */
  readonly fundingOutpoint: Outpoint;
  /** Kb, 33 bytes compressed. */
  readonly buyerPublicKey: Uint8Array;
  /** Ks, 33 bytes compressed. */
  readonly sellerPublicKey: Uint8Array;
  /** Hb, 20 bytes: where the change goes. */
  readonly buyerKeyHash: Uint8Array;
  /** Hs, 20 bytes: where the earnings go. */
  readonly sellerKeyHash: Uint8Array;
}

export type ParameterError =
  /** P is negative or exceeds all money. Zero is allowed here: it is nonsense for a sale, but can be settled. */
  | 'price-out-of-range'
  /** L is not an integer in 0…65535. */
  | 'lock-out-of-range'
  /** F is negative or exceeds all money. */
  | 'settlement-fee-out-of-range'
  /** V is not in (0, 21·10¹⁴]. */
  | 'funding-value-out-of-range'
  /** The funding txid is not 32 bytes, or the index not a u32. */
  | 'outpoint-malformed'
  /** Kb is not a compressed point on the curve. */
  | 'buyer-key-off-curve'
  /** Ks is not a compressed point on the curve. */
  | 'seller-key-off-curve'
  /** Kb = Ks: one party would hold both keys. */
  | 'keys-equal'
  /** Hb is not 20 bytes. */
  | 'buyer-key-hash-malformed'
  /** Hs is not 20 bytes. */
  | 'seller-key-hash-malformed';

/** Checks each parameter by itself, before anything is asked of the chain. Undefined means that all are well formed. */
export function checkParameters(channel: ChannelParameters, ecdsa: Pick<Ecdsa, 'isPoint'>): ParameterError | undefined {
  if (!isMoney(channel.priceSat)) return 'price-out-of-range';
  if (!isInteger(channel.lockUnits, MAX_LOCK_UNITS)) return 'lock-out-of-range';
  if (!isMoney(channel.settlementFeeSat)) return 'settlement-fee-out-of-range';
  if (channel.fundingValueSat === 0n || !isMoney(channel.fundingValueSat)) return 'funding-value-out-of-range';
  const { txid, index } = channel.fundingOutpoint;
  if (txid.length !== 32 || !isInteger(index, 0xffff_ffff)) return 'outpoint-malformed';
  if (!ecdsa.isPoint(channel.buyerPublicKey)) return 'buyer-key-off-curve';
  if (!ecdsa.isPoint(channel.sellerPublicKey)) return 'seller-key-off-curve';
  if (equalBytes(channel.buyerPublicKey, channel.sellerPublicKey)) return 'keys-equal';
  if (channel.buyerKeyHash.length !== 20) return 'buyer-key-hash-malformed';
  if (channel.sellerKeyHash.length !== 20) return 'seller-key-hash-malformed';
  return undefined;
}

function isMoney(amountSat: bigint): boolean {
  return amountSat >= 0n && amountSat <= MAX_MONEY_SAT;
}

function isInteger(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
