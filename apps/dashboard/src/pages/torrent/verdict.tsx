import type { Offer } from '../../api/types';
import { objectionWords } from '../../components/objections';
import { count, rate, satoshi } from '../../format';

/** What a complete sale at these terms comes to, at today's fees. */
export function Verdict({ offer }: { readonly offer: Offer }) {
  const { effective, economics: e } = offer;
  return (
    <>
      <dl className="pairs">
        <dt>Per piece</dt>
        <dd>
          {satoshi(effective.priceSat)} sat ({rate(effective.satPerMib, 2)} per MiB, {satoshi(e.satPerGib)} per GiB)
        </dd>
        <dt>A complete sale</dt>
        <dd>{satoshi(e.totalSat)} sat</dd>
        <dt>Costs on chain</dt>
        <dd>
          {satoshi(e.settlementFeeSat)} to settle, {satoshi(e.sweepCostSat)} to sweep
        </dd>
        <dt>Leaves</dt>
        <dd>
          <strong className={e.netSat.startsWith('-') ? 'bad' : 'good'}>{satoshi(e.netSat)} sat</strong>
        </dd>
        <dt>Earns from piece</dt>
        <dd>
          {count(e.kMin)}, after {(e.earnsNothingPerMille / 10).toFixed(1)} % of the sale
        </dd>
        <dt>Breaks even up to</dt>
        <dd>
          {e.breakEvenFeeRateSatPerKvb === null
            ? 'no fee rate'
            : `${rate(Number(e.breakEvenFeeRateSatPerKvb) / 1_000, 1)} sat/vB`}
        </dd>
        <dt>Smallest sensible sale</dt>
        <dd>{e.smallestSensiblePieces === null ? 'none' : `${count(e.smallestSensiblePieces)} pieces`}</dd>
        <dt>Default buyers</dt>
        <dd className={e.acceptedByDefaultBuyers ? 'good' : 'bad'}>
          {e.acceptedByDefaultBuyers ? 'accept it' : `refuse it: ${objectionWords(e.objections)}`}
        </dd>
      </dl>
      {e.declined !== null && <p className="problem">It could never pay for its settlement: {e.declined}</p>}
      {e.declined === null && e.refusedNow !== null && (
        <p className="problem">Not sold at today’s fees: {e.refusedNow}</p>
      )}
    </>
  );
}
