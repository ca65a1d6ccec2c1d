/**
 * The arithmetic of a channel (payment channel specification §7). Payments are counted by k = 1, 2, …; after payment k
 * the buyer has paid k·P of the funding value V, and the settlement fee F comes out of the seller's share.
 */

/** Value at and below which the reference leaves out the seller's output, satoshi. */
export const DUST_SAT = 546n;

/** More satoshi than will ever exist; amounts above it are nonsense and are refused before any arithmetic. */
export const MAX_MONEY_SAT = 2_100_000_000_000_000n;

export type AmountError =
  /** P = 0: every piece would be free and no payment number is ever collectable. */
  | 'price-zero'
  /** P is negative or exceeds all money. */
  | 'price-out-of-range'
  /** F is negative or exceeds all money. */
  | 'settlement-fee-out-of-range'
  /** V is not in (0, 21·10¹⁴]. */
  | 'funding-value-out-of-range';

export type PaymentNumberResult =
  { readonly ok: true; readonly k: number } | { readonly ok: false; readonly code: AmountError };

export interface ChannelAmounts {
  /** First payment whose settlement pays the seller. May exceed `kCap`: then the channel can never pay. */
  readonly kMin: number;
  /** Last payment the funding value covers. */
  readonly kPay: number;
  /** Last payment whose change output is not dust, so that its settlement is relayed. The serving limit. */
  readonly kCap: number;
}

export type ChannelAmountsResult =
  { readonly ok: true; readonly amounts: ChannelAmounts } | { readonly ok: false; readonly code: AmountError };

/** First payment with a seller output: floor((546 + F) / P) + 1. */
export function kMin(priceSat: bigint, settlementFeeSat: bigint): PaymentNumberResult {
  const code = priceError(priceSat) ?? feeError(settlementFeeSat);
  return code ? { ok: false, code } : found((DUST_SAT + settlementFeeSat) / priceSat + 1n);
}

/** Last payment that the funding value covers: floor(V / P). */
export function kPay(fundingValueSat: bigint, priceSat: bigint): PaymentNumberResult {
  const code = priceError(priceSat) ?? valueError(fundingValueSat);
  return code ? { ok: false, code } : found(fundingValueSat / priceSat);
}

/** Last payment whose change output reaches 546 satoshi: floor((V − 546) / P), and 0 where V is below 546. */
export function kCap(fundingValueSat: bigint, priceSat: bigint): PaymentNumberResult {
  const code = priceError(priceSat) ?? valueError(fundingValueSat);
  if (code) return { ok: false, code };
  return found(fundingValueSat < DUST_SAT ? 0n : (fundingValueSat - DUST_SAT) / priceSat);
}

/** All three limits of one channel. */
export function channelAmounts(channel: {
  readonly priceSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly fundingValueSat: bigint;
}): ChannelAmountsResult {
  const first = kMin(channel.priceSat, channel.settlementFeeSat);
  if (!first.ok) return first;
  const last = kPay(channel.fundingValueSat, channel.priceSat);
  if (!last.ok) return last;
  const cap = kCap(channel.fundingValueSat, channel.priceSat);
  if (!cap.ok) return cap;
  return { ok: true, amounts: { kMin: first.k, kPay: last.k, kCap: cap.k } };
}

/** What payment k has transferred, before any fee, satoshi. k must be a non-negative safe integer. */
export function paidSat(k: number, priceSat: bigint): bigint {
  return BigInt(k) * priceSat;
}

/** Whether settlement k has a seller output: k·P > 546 + F. */
export function isCollectable(k: number, priceSat: bigint, settlementFeeSat: bigint): boolean {
  return paidSat(k, priceSat) > DUST_SAT + settlementFeeSat;
}

/** What settlement k pays the seller, satoshi: k·P − F where it has a seller output, else 0. */
export function netSat(k: number, priceSat: bigint, settlementFeeSat: bigint): bigint {
  return isCollectable(k, priceSat, settlementFeeSat) ? paidSat(k, priceSat) - settlementFeeSat : 0n;
}

/** What the miners get from settlement k, satoshi: F, or all of k·P where there is no seller output. */
export function settlementMiningFeeSat(k: number, priceSat: bigint, settlementFeeSat: bigint): bigint {
  return isCollectable(k, priceSat, settlementFeeSat) ? settlementFeeSat : paidSat(k, priceSat);
}

/** Both operands are within 21·10¹⁴ and the divisor is at least 1, so a quotient is always a safe integer. */
function found(k: bigint): PaymentNumberResult {
  return { ok: true, k: Number(k) };
}

function priceError(priceSat: bigint): AmountError | undefined {
  if (priceSat === 0n) return 'price-zero';
  return priceSat < 0n || priceSat > MAX_MONEY_SAT ? 'price-out-of-range' : undefined;
}

function feeError(feeSat: bigint): AmountError | undefined {
  return feeSat < 0n || feeSat > MAX_MONEY_SAT ? 'settlement-fee-out-of-range' : undefined;
}

function valueError(valueSat: bigint): AmountError | undefined {
  return valueSat <= 0n || valueSat > MAX_MONEY_SAT ? 'funding-value-out-of-range' : undefined;
}
