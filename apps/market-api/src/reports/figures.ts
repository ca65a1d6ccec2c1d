import type { BookedFigure } from '@seedfleet/books';

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

/** The measures that each figure adds up; revenue is booked negative, and what left payout keys comes off `buriedSat`. */
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

/**
 * What the treasury moves off payout keys is booked beside the channels' settlements, which stay `buried`: the fee of a
 * child, a sweep and its fee, the fee of a split. It is `spent`, and has left what is shown as buried.
 */
const LEFT_PAYOUT_KEYS = ['child-fee', 'swept', 'sweep-fee'] as const;
/** Of the fleet only: it belongs to no torrent. */
const SWEEP_FEE = 'sweep-fee';

/** The accounts whose entries make up a figure. */
export function accountsOfFigure(figure: BookedFigure): readonly string[] {
  if (figure === 'buriedSat') return [...MEASURES_OF.buriedSat, 'spent'];
  if (figure === 'feesSat') return [...MEASURES_OF.feesSat, SWEEP_FEE];
  return MEASURES_OF[figure];
}

export function figuresOf(measures: Measures | undefined): Figures {
  const figures = {} as Record<keyof Figures, bigint>;
  for (const name of FIGURE_NAMES) {
    let total = 0n;
    for (const measure of MEASURES_OF[name]) total += measures?.get(measure) ?? 0n;
    figures[name] = name === 'revenueSat' ? -total : total;
  }
  for (const measure of LEFT_PAYOUT_KEYS) figures.buriedSat -= measures?.get(measure) ?? 0n;
  figures.feesSat += measures?.get(SWEEP_FEE) ?? 0n;
  return figures;
}
