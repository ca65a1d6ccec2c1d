/** What serving cost, at the operator's own rates. Pure; thousandths of a satoshi inside, rounded up to satoshi at the end. */

export interface CostRates {
  /** Thousandths of a satoshi per GiB (2^30 bytes) sent. */
  readonly bandwidthMilliSatPerGib: bigint;
  /** Thousandths of a satoshi per GiB kept for 30 days, per copy. */
  readonly diskMilliSatPerGibMonth: bigint;
}

export const NO_COSTS: CostRates = { bandwidthMilliSatPerGib: 0n, diskMilliSatPerGibMonth: 0n };

export interface Served {
  /** Bytes of the pieces that were paid. */
  readonly soldBytes: bigint;
  /** Σ bytes × copies × seconds that they were kept in the period. */
  readonly keptByteSeconds: bigint;
}

export interface Costs {
  readonly bandwidthSat: bigint;
  readonly diskSat: bigint;
}

const GIB = 1n << 30n;
const MILLI = 1000n;
const MONTH_SECONDS = 30n * 24n * 3600n;

export function costsOf({ soldBytes, keptByteSeconds }: Served, rates: CostRates): Costs {
  return {
    bandwidthSat: ceilDiv(soldBytes * rates.bandwidthMilliSatPerGib, GIB * MILLI),
    diskSat: ceilDiv(keptByteSeconds * rates.diskMilliSatPerGibMonth, GIB * MILLI * MONTH_SECONDS),
  };
}

/** Rounds up, also below zero: a period in which a restatement took pieces back must not gain by rounding. */
function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return numerator <= 0n ? numerator / denominator : (numerator + denominator - 1n) / denominator;
}
