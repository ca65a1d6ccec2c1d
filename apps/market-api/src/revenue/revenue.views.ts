import type { RevenueFigures } from './revenue.js';
import type { FiguresView } from './revenue.schemas.js';

/** Figures as they travel: satoshi as decimal strings. */
export function figuresView(figures: RevenueFigures): FiguresView {
  return {
    sales: figures.sales,
    piecesPaid: Number(figures.piecesPaid),
    revenueSat: figures.revenueSat.toString(),
    uncollectableSat: figures.uncollectableSat.toString(),
    collectableSat: figures.collectableSat.toString(),
    expectedFeesSat: figures.expectedFeesSat.toString(),
    broadcastSat: figures.broadcastSat.toString(),
    settledSat: figures.settledSat.toString(),
    collectedSat: figures.collectedSat.toString(),
    feesSat: figures.feesSat.toString(),
    atRiskSat: figures.atRiskSat.toString(),
    lostSat: figures.lostSat.toString(),
  };
}
