/**
 * The figures of revenue that people are shown, as far as each opens to the entries behind it. Here, because the API that
 * explains a figure and the page that shows it must mean the same sum.
 */

/** Figures that are accounts of the books; satoshi. */
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
] as const;
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
export type SumOfFigures = keyof typeof SUMS_OF_FIGURES;
export type ExplainedFigure = BookedFigure | SumOfFigures;

export const EXPLAINED_FIGURES: readonly [ExplainedFigure, ...ExplainedFigure[]] = [
  ...BOOKED_FIGURES,
  ...(Object.keys(SUMS_OF_FIGURES) as SumOfFigures[]),
];

export function isSumOfFigures(figure: ExplainedFigure): figure is SumOfFigures {
  return Object.hasOwn(SUMS_OF_FIGURES, figure);
}

/** The figures that one to be explained is the sum of; itself where it is none. */
export function partsOfFigure(figure: ExplainedFigure): readonly BookedFigure[] {
  return isSumOfFigures(figure) ? SUMS_OF_FIGURES[figure] : [figure];
}
