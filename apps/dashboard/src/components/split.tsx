import type { Earnings } from '../api/types';
import { amountOf } from '../figures';
import { percentOf, satoshi } from '../format';

/** Where each satoshi of the revenue is, as one bar. */
export function Split({ of }: { readonly of: Earnings }) {
  const whole = BigInt(of.revenueSat);
  if (whole <= 0n) return null;
  const parts = [
    { name: 'collected', amount: amountOf(of, 'collectedSat') },
    { name: 'on its way', amount: amountOf(of, 'onItsWaySat') },
    { name: 'collectable', amount: BigInt(of.collectableSat) },
    { name: 'fees', amount: amountOf(of, 'allFeesSat') },
    { name: 'not yet collectable', amount: BigInt(of.accruedSat) },
    { name: 'too little to settle', amount: BigInt(of.uncollectableSat) },
    { name: 'lost', amount: BigInt(of.lostSat) },
  ].filter(({ amount }) => amount > 0n);
  const text = parts.map(({ name, amount }) => `${name} ${percentOf(amount, whole)} %`).join(', ');
  return (
    <figure className="split">
      <div className="bar" role="img" aria-label={`Of the revenue: ${text}`}>
        {parts.map(({ name, amount }) => (
          <span
            key={name}
            className={`part ${name.replaceAll(' ', '-')}`}
            style={{ flexGrow: Math.max(4, Number((amount * 1_000n) / whole)) }}
          />
        ))}
      </div>
      <figcaption className="legend" aria-hidden="true">
        {parts.map(({ name, amount }) => (
          <span key={name} title={`${satoshi(amount)} sat`}>
            <i className={`key part ${name.replaceAll(' ', '-')}`} /> {name}{' '}
            <strong>{percentOf(amount, whole)} %</strong>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
