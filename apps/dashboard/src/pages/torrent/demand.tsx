import type { Advice, DemandCounts } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { Stat, Stats } from '../../components/stat';
import { count, satoshi } from '../../format';

/** Why a price is suggested, as an operator would say it. */
const REASONS: Readonly<Record<string, string>> = {
  'too-few-bids': 'too few buyers said what they would pay: it is what default buyers accept',
  'best-for-bids': 'with what buyers bid, this brings most after fees',
  'bids-below-cost': 'what buyers bid would not pay for a settlement',
  'loses-speed-tests': 'many leave after the speed test: others are faster, which no price mends',
  'loses-after-joining': 'many leave after joining: others may be cheaper',
};

/** What buyers wanted of a torrent lately, and what it should cost by that. */
export function Demand({ infoHash }: { readonly infoHash: string }) {
  const advice = useLive<Advice>(`/v1/torrents/${infoHash}/advice`, ['offer', 'pulse']);
  const demand = useLive<DemandCounts>(`/v1/torrents/${infoHash}/demand`, ['offer', 'pulse']);
  const counters = demand.value?.counters;
  const told = advice.value;
  return (
    <Card title="Demand of the last 30 days" failure={advice.failure ?? demand.failure}>
      {counters === undefined || told === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : (
        <>
          <Stats label="What became of buyers">
            <Stat name="Asked" value={count(counters.buyers)} note={`${count(counters.buyersBelowPrice)} for less`} />
            <Stat name="Left after the speed test" value={count(counters.lostAfterSpeedTest)} />
            <Stat name="Joined" value={count(counters.joined)} note={`${count(counters.lostAfterJoin)} left`} />
            <Stat name="Bought" value={count(counters.won)} />
          </Stats>
          <p>
            Suggested: <strong>{satoshi(told.suggested.priceSat)} sat per piece</strong> (now{' '}
            {satoshi(told.current.priceSat)}): {told.reasons.map((reason) => REASONS[reason] ?? reason).join('; ')}.
          </p>
          {told.bids > 0 && (
            <p className="muted">
              Of {count(told.bids)} bids {count(told.acceptedNow)} accept the present price and{' '}
              {count(told.acceptedBids)} this one; if all of them bought everything, that would bring{' '}
              {satoshi(told.expectedNetNowSat)} and {satoshi(told.expectedNetSat)} sat after fees.
            </p>
          )}
        </>
      )}
    </Card>
  );
}
