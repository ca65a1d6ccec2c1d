import type { CostRates } from './costs.js';
import { costsOf, type Served } from './costs.js';
import { figuresOf, type Figures, type Measures } from './figures.js';
import type { FiguresView, ProfitView } from './report.schemas.js';

/** Figures as they travel: satoshi as decimal strings. */
export function figuresView(measures: Measures | undefined): FiguresView {
  return figuresText(figuresOf(measures));
}

export function figuresText({ channels, pieces, ...amounts }: Figures): FiguresView {
  const texts = Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, amount.toString()]));
  return { channels: Number(channels), pieces: Number(pieces), ...texts } as FiguresView;
}

export function profitView(figures: Figures, served: Served, rates: CostRates): ProfitView {
  const { bandwidthSat, diskSat } = costsOf(served, rates);
  return {
    soldBytes: served.soldBytes.toString(),
    bandwidthCostSat: bandwidthSat.toString(),
    diskCostSat: diskSat.toString(),
    profitSat: (figures.settledSat + figures.buriedSat + figures.sweptSat - bandwidthSat - diskSat).toString(),
  };
}
