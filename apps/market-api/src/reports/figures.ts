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

/** Figures that are accounts of the books, so that each opens to the entries behind it. */
export const BOOKED_FIGURES = [
  'revenueSat',
  'accruedSat',
  'collectableSat',
  'feesReservedSat',
  'broadcastSat',
  'settledSat',
  'buriedSat',
  'feesSat',
  'uncollectableSat',
  'lostSat',
  'sweptSat',
] as const satisfies readonly (keyof Figures)[];
export type BookedFigure = (typeof BOOKED_FIGURES)[number];

/** Sums of figures that are shown as one, so that they open as one too. */
export const SUMS_OF_FIGURES = {
  /** Under six blocks, whether or not it was moved on since. */
  collectedSat: ['buriedSat', 'sweptSat'],
  /** Sent or mined, not yet buried. */
  onItsWaySat: ['broadcastSat', 'settledSat'],
  /** Of settlements sent and to come. */
  allFeesSat: ['feesSat', 'feesReservedSat'],
} as const satisfies Record<string, readonly BookedFigure[]>;
export const EXPLAINED_FIGURES = [
  ...BOOKED_FIGURES,
  ...(Object.keys(SUMS_OF_FIGURES) as (keyof typeof SUMS_OF_FIGURES)[]),
] as const;
export type ExplainedFigure = (typeof EXPLAINED_FIGURES)[number];

/** The figures that one to be explained is the sum of; itself where it is none. */
export function partsOf(figure: ExplainedFigure): readonly BookedFigure[] {
  return figure in SUMS_OF_FIGURES ? SUMS_OF_FIGURES[figure as keyof typeof SUMS_OF_FIGURES] : [figure as BookedFigure];
}

export function figuresOf(measures: Measures | undefined): Figures {
  const figures = {} as Record<keyof Figures, bigint>;
  for (const name of FIGURE_NAMES) {
    let total = 0n;
    for (const measure of MEASURES_OF[name]) total += measures?.get(measure) ?? 0n;
    figures[name] = name === 'revenueSat' ? -total : total;
  }
  return figures;
}
