import { kMin } from '@seedfleet/payment-channel';
import { settlementFeeSat, sweepCostSat } from './fees.js';
import type { Policy } from './policy.js';

/** Where sales of a torrent stop being worth their price on chain. Rates are satoshi per 1000 virtual bytes. */

export interface PricedSale {
  readonly pieces: number;
  readonly priceSat: bigint;
}

/** Higher than fees ever were; what is beyond it breaks nobody even. */
const HIGHEST_RATE_SAT_PER_KVB = 1_000_000_000n;

/**
 * The highest fee rate at which a complete sale still brings what its settlement and sweep cost; null where it does not at
 * any rate. `fixedFeeSat` is the operator's own settlement fee, which does not follow the rate.
 */
export function breakEvenRateSatPerKvb(sale: PricedSale, policy: Policy, fixedFeeSat?: bigint): bigint | null {
  const grossSat = BigInt(sale.pieces) * sale.priceSat;
  const bears = (rate: bigint): boolean => grossSat >= chainCostSat(rate, policy, fixedFeeSat);
  if (!bears(1n)) return null;
  let low = 1n;
  let high = HIGHEST_RATE_SAT_PER_KVB;
  if (bears(high)) return high;
  // Costs never fall when the rate rises, so the border can be halved in.
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (bears(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Fewest pieces after which a sale is sensible: the seller's output exists, and the chain takes no larger share than policy
 * lets it take of a complete sale. Null where not even all pieces are enough.
 */
export function smallestSensiblePieces(
  sale: PricedSale & { readonly settlementFeeSat: bigint; readonly sweepCostSat: bigint },
  policy: Policy,
): number | null {
  const first = kMin(sale.priceSat, sale.settlementFeeSat);
  if (!first.ok) return null;
  const costSat = sale.settlementFeeSat + sale.sweepCostSat;
  const byShare = ceilDiv(costSat * 100n, policy.joinGate.maxFeeSharePercent * sale.priceSat);
  const pieces = byShare > BigInt(first.k) ? byShare : BigInt(first.k);
  return pieces <= BigInt(sale.pieces) ? Number(pieces) : null;
}

function chainCostSat(rate: bigint, policy: Policy, fixedFeeSat: bigint | undefined): bigint {
  const estimates = { sixBlockSatPerKvb: rate, median24hSatPerKvb: rate, quiet24hSatPerKvb: rate };
  return (fixedFeeSat ?? settlementFeeSat(estimates, policy)) + sweepCostSat(estimates, policy);
}

function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
