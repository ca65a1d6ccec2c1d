import { kMin } from '@seedfleet/payment-channel';
import type { FeeEstimates } from './fees.js';
import { settlementFeeSat, sweepCostSat } from './fees.js';
import type { Policy } from './policy.js';

/** What a complete sale of a torrent brings and costs, as operators are shown it. */
export interface SaleEconomics {
  readonly grossSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly sweepCostSat: bigint;
  /** Gross less settlement fee and sweep; negative for a loss. */
  readonly netSat: bigint;
  /** Parts per thousand of gross lost to fees. */
  readonly feesPerMille: bigint;
  /** First payment that brings anything. */
  readonly kMin: number;
  /** The same as parts per thousand of the pieces. */
  readonly kMinPerMille: number;
  readonly satPerGib: bigint;
}

/** Undefined where price or pieces are not positive: nothing is sold then. */
export function saleEconomics(
  sale: { readonly pieces: number; readonly pieceLengthBytes: number; readonly priceSat: bigint },
  estimates: FeeEstimates,
  policy: Policy,
): SaleEconomics | undefined {
  const fee = settlementFeeSat(estimates, policy);
  const first = kMin(sale.priceSat, fee);
  if (!first.ok || sale.pieces < 1) return undefined;
  const grossSat = BigInt(sale.pieces) * sale.priceSat;
  const sweep = sweepCostSat(estimates, policy);
  return {
    grossSat,
    settlementFeeSat: fee,
    sweepCostSat: sweep,
    netSat: grossSat - fee - sweep,
    feesPerMille: ((fee + sweep) * 1000n) / grossSat,
    kMin: first.k,
    kMinPerMille: Math.floor((first.k * 1000) / sale.pieces),
    satPerGib: (sale.priceSat << 30n) / BigInt(sale.pieceLengthBytes),
  };
}
