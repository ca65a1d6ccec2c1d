import { isSumOfFigures, partsOfFigure, type BookedFigure, type ExplainedFigure } from '@seedfleet/books';
import { sum } from './format';

/** A figure of revenue as it is shown: the parts that the books give, added up. Satoshi. */
export function amountOf(of: Readonly<Record<BookedFigure, string>>, figure: ExplainedFigure): bigint {
  return sum(...partsOfFigure(figure).map((part) => of[part]));
}

export interface FigureMeaning {
  readonly name: string;
  readonly meaning: string;
}

/** In the order in which they are shown. */
export const FIGURES: Readonly<Record<ExplainedFigure, FigureMeaning>> = {
  revenueSat: { name: 'Revenue', meaning: 'all payments verified: pieces paid × price' },
  buriedSat: {
    name: 'Buried',
    meaning: 'settlements buried in the chain, less their mining fee and what was moved on since',
  },
  sweptSat: { name: 'Swept', meaning: 'brought to the operator’s own wallet' },
  settledSat: { name: 'Mined', meaning: 'settlements in a block, not yet buried' },
  broadcastSat: { name: 'Sent', meaning: 'settlements broadcast, not yet mined' },
  collectableSat: { name: 'Collectable', meaning: 'channels still to be settled, less the mining fee' },
  feesReservedSat: { name: 'Fees to come', meaning: 'mining fees of settlements to come' },
  feesSat: {
    name: 'Fees',
    meaning: 'mining fees of settlements in a block, of children that paid for them, of sweeps and splits',
  },
  accruedSat: { name: 'Accrued', meaning: 'paid, but still below what a settlement would pay out' },
  uncollectableSat: { name: 'Too little', meaning: 'of channels that ended below what a settlement pays out' },
  lostSat: { name: 'Lost', meaning: 'payments that never arrive' },
  collectedSat: { name: 'Collected', meaning: 'buried, whether or not it was moved to the operator’s wallet since' },
  onItsWaySat: { name: 'On its way', meaning: 'settlements sent or mined, not yet buried' },
  allFeesSat: { name: 'All fees', meaning: 'mining fees spent and to come' },
};

export const FIGURE_IDS = Object.keys(FIGURES) as readonly ExplainedFigure[];

/** A figure by its name in the address of a page. */
export function figureNamed(name: string | null): ExplainedFigure | undefined {
  return FIGURE_IDS.find((figure) => figure === name);
}

/** Parts of a sum, by name; nothing where it is no sum. */
export function partNames(figure: ExplainedFigure): string {
  return isSumOfFigures(figure)
    ? partsOfFigure(figure)
        .map((part) => FIGURES[part].name)
        .join(' + ')
    : '';
}
