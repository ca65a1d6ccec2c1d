import type { Figures } from '../reports/figures.js';
import type { FiguresView } from './revenue.schemas.js';

/** What was earned over all time. */
export interface Revenue {
  readonly figures: Figures;
  /** Of channels in trouble, which the figures hold too. */
  readonly atRiskSat: bigint;
}

/** Figures as they travel: satoshi as decimal strings. */
export function figuresView({ figures, atRiskSat }: Revenue): FiguresView {
  const { channels, pieces, revenueSat, accruedSat, collectableSat, feesReservedSat, broadcastSat } = figures;
  const { settledSat, buriedSat, sweptSat, feesSat, uncollectableSat, lostSat } = figures;
  return {
    sales: Number(channels),
    piecesPaid: Number(pieces),
    revenueSat: revenueSat.toString(),
    uncollectableSat: accruedSat.toString(),
    collectableSat: collectableSat.toString(),
    expectedFeesSat: feesReservedSat.toString(),
    broadcastSat: broadcastSat.toString(),
    settledSat: settledSat.toString(),
    collectedSat: (buriedSat + sweptSat).toString(),
    feesSat: feesSat.toString(),
    atRiskSat: atRiskSat.toString(),
    lostSat: (lostSat + uncollectableSat).toString(),
  };
}
