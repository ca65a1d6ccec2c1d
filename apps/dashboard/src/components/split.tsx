import type { Earnings } from '../api/types';
import { collected, onItsWay, percentOf, satoshi, sum } from '../format';

/** Where each satoshi of the revenue is, as one bar. */
export function Split({ of }: { readonly of: Earnings }) {
  const whole = BigInt(of.revenueSat);
  if (whole <= 0n) return null;
  const parts = [
    { name: 'collected', amount: collected(of) },
    { name: 'on its way', amount: onItsWay(of) },
    { name: 'collectable', amount: BigInt(of.collectableSat) },
    { name: 'fees', amount: sum(of.feesSat, of.feesReservedSat) },
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
