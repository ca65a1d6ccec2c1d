import type { Policy } from './policy.js';

/** Everything that is derived from the node's fee estimates. Rates are satoshi per 1000 virtual bytes. */

export interface FeeEstimates {
  /** To be mined within six blocks. Absent where the node has no estimate, as on regtest. */
  readonly sixBlockSatPerKvb?: bigint;
  /** Median of the six-block estimates of the last 24 hours. */
  readonly median24hSatPerKvb?: bigint;
  /** To be mined within three blocks. */
  readonly threeBlockSatPerKvb?: bigint;
  /** 25th percentile of the last 24 hours: what the treasury waits for before it sweeps. */
  readonly quiet24hSatPerKvb?: bigint;
}

/**
 * The settlement fee F to offer now, satoshi: 1.25 × 347 × the larger of the six-block estimate and the 24-hour
 * median, at least 347. F is frozen with the channel, so it must still do when the channel ends.
 */
export function settlementFeeSat(estimates: FeeEstimates, policy: Policy): bigint {
  const { factorPercent, settlementVbytes, minSat, noEstimateSatPerKvb } = policy.settlementFee;
  const rate = largest(estimates.sixBlockSatPerKvb, estimates.median24hSatPerKvb) ?? noEstimateSatPerKvb;
  const fee = ceilDiv(factorPercent * settlementVbytes * rate, 100n * 1000n);
  return fee > minSat ? fee : minSat;
}

/**
 * The least settlement fee that a node relays, satoshi, at its minimum per 1000 virtual bytes. Where no child can add to it and
 * nothing is replaced (Bitcoin Cash), a channel with less is never opened.
 */
export function relayFloorSat(minimumSatPerKvb: bigint, policy: Policy): bigint {
  return ceilDiv(policy.settlementFee.settlementVbytes * minimumSatPerKvb, 1000n);
}

/** What it costs to sweep one settlement output later, satoshi, at the rate the treasury waits for. */
export function sweepCostSat(estimates: FeeEstimates, policy: Policy): bigint {
  const rate = estimates.quiet24hSatPerKvb ?? estimates.sixBlockSatPerKvb ?? policy.settlementFee.noEstimateSatPerKvb;
  return ceilDiv(policy.sweepInputVbytes * rate, 1000n);
}

/** Whether a frozen F has fallen behind what six blocks cost now. */
export function isUnderpaid(frozenFeeSat: bigint, estimates: FeeEstimates, policy: Policy): boolean {
  const rate = estimates.sixBlockSatPerKvb ?? policy.settlementFee.noEstimateSatPerKvb;
  return policy.settlementFee.settlementVbytes * rate > frozenFeeSat * 1000n;
}

/**
 * How long before the refund matures the settlement must be out, seconds of median time past. The deadline of a
 * channel is its maturity minus this; no piece leaves after it.
 */
export function settlementMarginSeconds(
  channel: { readonly netSat: bigint; readonly settlementFeeSat: bigint },
  estimates: FeeEstimates,
  policy: Policy,
): number {
  const { baseSeconds, valuableSeconds, valuableNetSat, underpaidExtraSeconds } = policy.settlementMargin;
  const margin = channel.netSat > valuableNetSat ? valuableSeconds : baseSeconds;
  return margin + (isUnderpaid(channel.settlementFeeSat, estimates, policy) ? underpaidExtraSeconds : 0);
}

/** Whether peers without a channel should get a new `sell`: F has moved by a fifth in either direction. */
export function shouldRequote(quotedFeeSat: bigint, currentFeeSat: bigint, policy: Policy): boolean {
  const moved = currentFeeSat > quotedFeeSat ? currentFeeSat - quotedFeeSat : quotedFeeSat - currentFeeSat;
  return moved * 100n >= quotedFeeSat * policy.requote.idleMovePercent;
}

export type StaleQuote =
  /** F has risen so far that the channel would settle too slowly. */
  | 'fee-risen'
  /** The buyer has not funded for too long. */
  | 'too-old';

/** Why a joined but unfunded peer must be closed before it funds, or undefined where its quote still holds. */
export function staleQuote(
  quote: { readonly settlementFeeSat: bigint; readonly ageMs: number },
  currentFeeSat: bigint,
  policy: Policy,
): StaleQuote | undefined {
  const { joinedClosePercent, joinedMaxAgeMs } = policy.requote;
  if (currentFeeSat * 100n >= quote.settlementFeeSat * joinedClosePercent) return 'fee-risen';
  return quote.ageMs >= joinedMaxAgeMs ? 'too-old' : undefined;
}

function largest(...values: readonly (bigint | undefined)[]): bigint | undefined {
  let best: bigint | undefined;
  for (const value of values) if (value !== undefined && (best === undefined || value > best)) best = value;
  return best;
}

function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
