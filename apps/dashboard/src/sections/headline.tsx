import type { Figures, Revenue } from '../api/types';
import type { Polled } from '../api/use-polling';
import { percentOf, satoshi, sum } from '../format';

/** The money in one line: what is earned, and where each satoshi of it is. */
export function Headline({ revenue }: { readonly revenue: Polled<Revenue> }) {
  const totals = revenue.value?.totals;
  return (
    <section aria-label="Revenue of the fleet" className="headline">
      <div className="figures">
        <Figure name="Revenue" hint="all payments verified, before fees" amount={totals?.revenueSat} strong />
        <Figure
          name="Collected"
          hint="settlements buried in the chain, after fees"
          amount={totals?.collectedSat}
          strong
        />
        <Figure
          name="On its way"
          hint="settlements sent or mined, not yet buried"
          amount={totals && sum(totals.broadcastSat, totals.settledSat)}
        />
        <Figure name="Collectable" hint="in running channels, after fees" amount={totals?.collectableSat} />
        <Figure name="Fees" hint="mining fees of our settlements" amount={totals?.feesSat} />
        <Figure
          name="At risk or lost"
          hint="in channels in trouble, or gone"
          amount={totals && sum(totals.atRiskSat, totals.lostSat)}
        />
      </div>
      {totals !== undefined && BigInt(totals.revenueSat) > 0n && <Split totals={totals} />}
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly hint: string;
  readonly amount: string | bigint | undefined;
  readonly strong?: boolean;
}

function Figure({ name, hint, amount, strong }: FigureProps) {
  return (
    <dl className={strong ? 'figure strong' : 'figure'} title={hint}>
      <dt>{name}</dt>
      <dd>
        {amount === undefined ? '…' : satoshi(amount)} <small>sat</small>
      </dd>
    </dl>
  );
}

/** The parts of gross revenue as one bar. */
function Split({ totals }: { readonly totals: Figures }) {
  const whole = BigInt(totals.revenueSat);
  const parts = [
    { name: 'collected', amount: BigInt(totals.collectedSat) },
    { name: 'on its way', amount: sum(totals.broadcastSat, totals.settledSat) },
    { name: 'collectable', amount: BigInt(totals.collectableSat) },
    { name: 'fees', amount: sum(totals.feesSat, totals.expectedFeesSat) },
    { name: 'not yet collectable', amount: BigInt(totals.uncollectableSat) },
    { name: 'at risk or lost', amount: sum(totals.atRiskSat, totals.lostSat) },
  ].filter(({ amount }) => amount > 0n);
  const text = parts.map(({ name, amount }) => `${name} ${percentOf(amount, whole)} %`).join(', ');
  return (
    <figure className="split">
      <div className="bar" role="img" aria-label={`Of the revenue: ${text}`}>
        {parts.map(({ name, amount }) => (
          <span
            key={name}
            className={`part ${name.replaceAll(' ', '-')}`}
            style={{ flexGrow: Math.max(1, Number((amount * 1_000n) / whole)) }}
          />
        ))}
      </div>
      <figcaption className="legend" aria-hidden="true">
        {parts.map(({ name, amount }) => (
          <span key={name}>
            <i className={`part ${name.replaceAll(' ', '-')}`} /> {name} {percentOf(amount, whole)} %
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
