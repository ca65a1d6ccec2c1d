import { CostRatesCard } from './cost-rates';
import { TiersCard } from './tiers';

/** What prices and profit are worked out with. */
export function RatesCards() {
  return (
    <>
      <TiersCard />
      <CostRatesCard />
    </>
  );
}
