/**
 * The figures of a report, from the measures of the books' roll-ups. Pure. Satoshi; every satoshi of revenue is in exactly
 * one of accrued, collectable, feesReserved, broadcast, settled, buried, fees, uncollectable, lost and swept.
 */
export interface Figures {
  /** Channels whose first payment was posted. */
  readonly channels: bigint;
  readonly pieces: bigint;
  readonly revenueSat: bigint;
  readonly accruedSat: bigint;
  readonly collectableSat: bigint;
  readonly feesReservedSat: bigint;
  readonly broadcastSat: bigint;
  readonly settledSat: bigint;
  readonly buriedSat: bigint;
  readonly feesSat: bigint;
  readonly uncollectableSat: bigint;
  readonly lostSat: bigint;
  readonly sweptSat: bigint;
  /** Was mined, and a reorganisation took it back; in the other figures already. */
  readonly restatedSat: bigint;
}

/** Sums by measure: an account of the books, or `channels`, `pieces`, `restated`. */
export type Measures = ReadonlyMap<string, bigint>;

/** The measures that each figure adds up; revenue is booked negative. */
export const MEASURES_OF = {
  channels: ['channels'],
  pieces: ['pieces'],
  revenueSat: ['revenue'],
  accruedSat: ['accrued'],
  collectableSat: ['collectable'],
  feesReservedSat: ['settlement-fee-reserved'],
  broadcastSat: ['broadcast'],
  settledSat: ['confirmed'],
  buriedSat: ['buried'],
  feesSat: ['settlement-fee', 'child-fee'],
  uncollectableSat: ['uncollectable'],
  lostSat: ['lost'],
  sweptSat: ['swept'],
  restatedSat: ['restated'],
} as const satisfies Record<keyof Figures, readonly string[]>;

export const FIGURE_NAMES = Object.keys(MEASURES_OF) as (keyof Figures)[];

export function figuresOf(measures: Measures | undefined): Figures {
  const figures = {} as Record<keyof Figures, bigint>;
  for (const name of FIGURE_NAMES) {
    let total = 0n;
    for (const measure of MEASURES_OF[name]) total += measures?.get(measure) ?? 0n;
    figures[name] = name === 'revenueSat' ? -total : total;
  }
  return figures;
}
