import { useState } from 'react';
import type { Alerts, Earner, Earnings, Fleet, Series } from '../api/types';
import { useLive, usePages } from '../api/use-live';
import { Card } from '../components/card';
import { Choice } from '../components/choice';
import { Events } from '../components/events';
import { PageHead } from '../components/page-head';
import { RevenueChart } from '../components/chart';
import { Sparkline } from '../components/sparkline';
import { Split } from '../components/split';
import { Stat, Stats } from '../components/stat';
import { amountOf } from '../figures';
import { bytes, count, sales, satoshi, torrentName } from '../format';
import { Link } from '../router';

const SPANS = [
  ['day', '24 h'],
  ['week', '7 d'],
  ['month', '30 d'],
  ['year', '1 y'],
] as const;
type Span = (typeof SPANS)[number][0];
const SPAN_QUERY: Readonly<Record<Span, string>> = {
  day: 'period=hour&count=24',
  week: 'period=day&count=7',
  month: 'period=day&count=30',
  year: 'period=day&count=365',
};
const MONEY_NEWS = ['channel', 'pulse'];

/** How the business stands: money over time, and what the fleet does now. */
export function OverviewPage() {
  const [span, setSpan] = useState<Span>('month');
  const series = useLive<Series>(`/v1/overview/series?${SPAN_QUERY[span]}`, MONEY_NEWS);
  const today = useLive<Series>('/v1/overview/series?period=day&count=1', MONEY_NEWS);
  const fleet = useLive<Fleet>('/v1/fleet', ['channel', 'node', 'chain', 'pulse']);
  const total = today.value?.total;
  return (
    <>
      <PageHead title="Overview" />
      <Attention />
      <Headline total={total} today={today.value?.items.at(-1)} />
      <Card
        title="Revenue over time"
        failure={series.failure}
        tools={<Choice label="Time span" options={SPANS} value={span} onChoose={setSpan} />}
      >
        {series.value === undefined ? (
          <p className="muted chart-place">Asking the fleet…</p>
        ) : (
          <RevenueChart series={series.value} label="Revenue over time" />
        )}
        {total !== undefined && <Split of={total} />}
      </Card>
      <Now fleet={fleet.value} />
      <div className="two">
        <Earners />
        <Card title="Last events" failure={fleet.failure}>
          {fleet.value === undefined ? (
            <p className="muted">Asking the fleet…</p>
          ) : (
            <Events fleet={fleet.value} limit={9} />
          )}
        </Card>
      </div>
    </>
  );
}

function Attention() {
  const alerts = useLive<Alerts>('/v1/alerts', ['alert', 'channel', 'node', 'chain']);
  const items = alerts.value?.items ?? [];
  const [worst] = items;
  if (worst === undefined) return null;
  return (
    <p className={`banner ${worst.severity}`} role="status">
      <strong>{worst.title}</strong>
      {items.length > 1 && <span> and {items.length - 1} more</span>}
      <Link to="/alerts">See what needs attention</Link>
    </p>
  );
}

function Headline({ total, today }: { readonly total: Earnings | undefined; readonly today: Earnings | undefined }) {
  return (
    <Stats label="Revenue of the fleet">
      <Stat
        name="Today"
        hint="paid by buyers since midnight UTC"
        sat={today?.revenueSat}
        note={today && sales(today.channels)}
      />
      <Stat
        name="Revenue"
        hint="all payments verified, before fees"
        sat={total?.revenueSat}
        note={total && sales(total.channels)}
      />
      <Stat
        name="Collected"
        hint="settlements buried in the chain, after fees"
        sat={total && amountOf(total, 'collectedSat')}
        tone="good"
      />
      <Stat
        name="On its way"
        hint="settlements sent or mined, not yet buried"
        sat={total && amountOf(total, 'onItsWaySat')}
      />
      <Stat name="Collectable" hint="in running channels, after fees" sat={total?.collectableSat} />
      <Stat
        name="Lost"
        hint="what never arrives"
        sat={total?.lostSat}
        tone={total !== undefined && BigInt(total.lostSat) > 0n ? 'bad' : undefined}
      />
    </Stats>
  );
}

function Now({ fleet }: { readonly fleet: Fleet | undefined }) {
  if (fleet === undefined) return null;
  const { nodes, work, torrents, chain } = fleet;
  const troubled =
    nodes.silent > 0 ? ` · ${count(nodes.silent)} silent` : nodes.draining > 0 ? ` · ${nodes.draining} draining` : '';
  return (
    <section className="card strip" aria-label="The fleet now">
      <Fact name={`${nodes.up === 1 ? 'node' : 'nodes'} up${troubled}`} value={count(nodes.up)} />
      <Fact name={`${torrents.active === 1 ? 'torrent' : 'torrents'} active`} value={count(torrents.active)} />
      <Fact name={work.connections === 1 ? 'connection' : 'connections'} value={count(work.connections)} />
      <Fact name={`${work.activeChannels === 1 ? 'channel' : 'channels'} selling`} value={count(work.activeChannels)} />
      <Fact name="waiting to fund" value={count(work.joinedChannels)} />
      <Fact name="unpaid in flight" value={bytes(work.exposureBytes)} />
      <Fact name="sold since start" value={bytes(work.bytesSold)} />
      <Fact name={chain === null ? 'block seen yet' : 'block'} value={chain === null ? 'no' : count(chain.height)} />
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <p className="fact">
      <strong>{value}</strong> <span className="muted">{name}</span>
    </p>
  );
}

function Earners() {
  const earners = usePages<Earner>('/v1/reports/torrents?limit=7&sparkDays=30', MONEY_NEWS);
  const rows = earners.value?.items;
  return (
    <Card title="Best earners" failure={earners.failure} tools={<Link to="/revenue">All torrents</Link>}>
      {rows === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : rows.length === 0 ? (
        <p className="muted">
          Nothing was sold yet. <Link to="/torrents">See what is on sale.</Link>
        </p>
      ) : (
        <ol className="earners">
          {rows.map(({ infoHash, name, revenueByDay, revenueSat, channels }) => (
            <li key={infoHash}>
              <span className="grow">
                <Link to={`/torrents/${infoHash}`} className="name">
                  {torrentName(name, infoHash)}
                </Link>
                <small className="muted block">{sales(channels)}</small>
              </span>
              <Sparkline values={revenueByDay} label="Revenue of the last 30 days" />
              <span className="amount">{satoshi(revenueSat)}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
