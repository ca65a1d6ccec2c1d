import type { ExplainedFigure } from '@seedfleet/books';
import type { Earner, Earnings, KeyedEarnings, TotalEarnings } from '../api/types';
import { useLive, usePages, waiting } from '../api/use-live';
import { Card } from '../components/card';
import { Choice } from '../components/choice';
import { DataTable, type Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { Pager } from '../components/pager';
import { Search } from '../components/search';
import { Sparkline } from '../components/sparkline';
import { Split } from '../components/split';
import { amountOf } from '../figures';
import { count, satoshi, torrentName } from '../format';
import { addressOf, periodIn } from '../period';
import { Link, useQuery } from '../router';

const MONEY_NEWS = ['channel', 'pulse'] as const;
const VIEWS = [
  ['torrents', 'Torrents'],
  ['labels', 'Labels'],
  ['nodes', 'Nodes'],
  ['buyers', 'Buyers'],
] as const;
type View = (typeof VIEWS)[number][0];
const ONE: Readonly<Record<View, string>> = { torrents: 'torrent', labels: 'label', nodes: 'node', buyers: 'buyer' };

/** What was earned in a period, by what; the server sorts, searches and cuts pages. */
export function RevenuePage() {
  const [query, setQuery] = useQuery();
  const view = (VIEWS.find(([name]) => name === query.get('by')) ?? VIEWS[0])[0];
  const period = periodIn(query);
  const total = useLive<TotalEarnings>(addressOf('/v1/reports/total', period), MONEY_NEWS);
  return (
    <>
      <PageHead title="Revenue" lead="Every figure opens to the channels and transactions behind it.">
        <Day label="From" value={period.get('from') ?? ''} onChoose={(from) => setQuery({ from })} />
        <Day label="To" value={period.get('to') ?? ''} onChoose={(to) => setQuery({ to })} />
      </PageHead>
      {total.value !== undefined && total.value.revenueSat !== '0' && (
        <section className="card" aria-label="Where the revenue is">
          <Split of={total.value} />
        </section>
      )}
      {view === 'torrents' ? (
        <ByTorrent period={period} total={total.value} tools={<Tools view={view} period={period} />} />
      ) : (
        <ByKey key={view} view={view} period={period} tools={<Tools view={view} period={period} />} />
      )}
    </>
  );
}

interface DayProps {
  readonly label: string;
  readonly value: string;
  readonly onChoose: (day: string) => void;
}

/** A day of the books (UTC), or none. */
function Day({ label, value, onChoose }: DayProps) {
  return (
    <label className="day" title="a day (UTC), included; empty: no bound">
      {label} <input type="date" value={value} onChange={(event) => onChoose(event.target.value)} />
    </label>
  );
}

function Tools({ view, period }: { readonly view: View; readonly period: URLSearchParams }) {
  const [, setQuery] = useQuery();
  const file = (format: string) => addressOf('/v1/reports/export', { of: view, format }, period);
  return (
    <>
      <Choice label="Revenue by" options={VIEWS} value={view} onChoose={(by) => setQuery({ by, search: '' })} />
      {view !== 'labels' && (
        <span className="muted">
          <a href={file('csv')} download>
            CSV
          </a>{' '}
          <a href={file('json')} download>
            JSON
          </a>
        </span>
      )}
    </>
  );
}

interface TableProps {
  readonly period: URLSearchParams;
  readonly tools: React.ReactNode;
}

function ByTorrent({ period, total, tools }: TableProps & { readonly total: TotalEarnings | undefined }) {
  const [query, setQuery] = useQuery();
  const sort = query.get('sort') ?? 'revenue';
  const search = query.get('search') ?? '';
  const earners = usePages<Earner>(
    addressOf('/v1/reports/torrents', { limit: '25', sparkDays: '30', sort, search }, period),
    MONEY_NEWS,
  );
  const { value } = earners;
  return (
    <Card
      title="Revenue per torrent"
      failure={earners.failure}
      tools={
        <>
          {tools}
          <Search label="Search torrents" value={search} onSearch={(text) => setQuery({ search: text })} />
        </>
      }
    >
      <DataTable
        caption="Revenue per torrent, in satoshi"
        columns={[...TORRENT, ...FIGURES.map((figure) => column<Earner>(figure, period))]}
        rows={value?.items ?? []}
        keyOf={({ infoHash }) => infoHash}
        empty={
          value === undefined
            ? waiting(earners)
            : search === ''
              ? period.size === 0
                ? 'Nothing was sold yet.'
                : 'Nothing was sold then.'
              : 'None with that name.'
        }
        sorted={{ by: sort, descending: true, onSort: (by) => setQuery({ sort: by }) }}
        {...(total === undefined || search !== '' || earners.page > 1
          ? {}
          : {
              footer: [
                'All torrents',
                '',
                ...FIGURES.map((figure) => (
                  <Opened key={figure.title} figure={figure} of={total} to={placeOf(figure, {}, period)} />
                )),
              ],
            })}
      />
      <Pager list={earners} name="revenue" />
    </Card>
  );
}

/** Labels, nodes or buyers, in the order of their names. */
function ByKey({ view, period, tools }: TableProps & { readonly view: Exclude<View, 'torrents'> }) {
  const list = usePages<KeyedEarnings>(addressOf(`/v1/reports/${view}`, { limit: '25' }, period), MONEY_NEWS);
  const keyOf = ({ label, nodeId, buyer }: KeyedEarnings): string => label ?? nodeId ?? buyer ?? '';
  const name = ONE[view];
  const named: Column<KeyedEarnings> = {
    title: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    ...(view === 'buyers' ? { hint: 'the range that buyers’ addresses are in' } : {}),
    cell: (row) =>
      row.label !== undefined ? (
        <Link to={addressOf('/torrents', { label: row.label })} className="name" title="Torrents with this label">
          {row.label}
        </Link>
      ) : row.nodeId === undefined ? (
        <strong>{keyOf(row)}</strong>
      ) : (
        <Link to={`/channels?nodeId=${encodeURIComponent(row.nodeId)}`} className="name" title="Channels of this node">
          {row.nodeId}
        </Link>
      ),
  };
  const figures = view === 'labels' ? FIGURES : FIGURES.filter(({ title }) => title !== 'Profit');
  return (
    <Card title={`Revenue per ${name}`} failure={list.failure} tools={tools}>
      <DataTable
        caption={`Revenue per ${name}, in satoshi`}
        columns={[named, ...figures.map((figure) => column<KeyedEarnings>(figure, period))]}
        rows={list.value?.items ?? []}
        keyOf={keyOf}
        empty={list.value === undefined ? waiting(list) : 'Nothing was sold yet.'}
      />
      <Pager list={list} name="revenue" />
    </Card>
  );
}

const TORRENT: readonly Column<Earner>[] = [
  {
    title: 'Torrent',
    cell: ({ name, infoHash }) => (
      <Link to={`/torrents/${infoHash}`} className="name" title={infoHash}>
        {torrentName(name, infoHash)}
      </Link>
    ),
  },
  {
    title: '30 days',
    cell: ({ revenueByDay }) => <Sparkline values={revenueByDay} label="Revenue of the last 30 days" />,
  },
];

interface Figure {
  readonly title: string;
  readonly hint?: string;
  readonly sort?: string;
  readonly text: (of: Earnings & { readonly profit?: { readonly profitSat: string } | null }) => string;
  /** What it opens to. */
  readonly opens?: ExplainedFigure;
}

const FIGURES: readonly Figure[] = [
  { title: 'Sales', sort: 'channels', text: ({ channels }) => count(channels) },
  {
    title: 'Revenue',
    sort: 'revenue',
    hint: 'all payments verified, before fees',
    text: ({ revenueSat }) => satoshi(revenueSat),
    opens: 'revenueSat',
  },
  {
    title: 'Collected',
    sort: 'buried',
    hint: 'settlements buried, after fees',
    text: (of) => satoshi(amountOf(of, 'collectedSat')),
    opens: 'collectedSat',
  },
  {
    title: 'On its way',
    hint: 'settlements sent or mined, not yet buried',
    text: (of) => satoshi(amountOf(of, 'onItsWaySat')),
    opens: 'onItsWaySat',
  },
  {
    title: 'Collectable',
    sort: 'collectable',
    hint: 'in running channels, after fees',
    text: ({ collectableSat }) => satoshi(collectableSat),
    opens: 'collectableSat',
  },
  {
    title: 'Fees',
    hint: 'mining fees of settlements sent and to come',
    text: (of) => satoshi(amountOf(of, 'allFeesSat')),
    opens: 'allFeesSat',
  },
  { title: 'Lost', sort: 'lost', text: ({ lostSat }) => satoshi(lostSat), opens: 'lostSat' },
  {
    title: 'Profit',
    hint: 'mined and buried, less bandwidth and disk at the operator’s rates',
    text: ({ profit }) => (profit === undefined || profit === null ? '–' : satoshi(profit.profitSat)),
  },
];

type Shown = Parameters<Figure['text']>[0];

/** A column of a figure, each of which opens to what it is made of in the period. */
function column<T extends Shown & Partial<Subject>>(figure: Figure, period: URLSearchParams): Column<T> {
  const { title, hint, sort } = figure;
  return {
    title,
    right: true,
    ...(hint === undefined ? {} : { hint }),
    ...(sort === undefined ? {} : { sort }),
    cell: (row) => <Opened figure={figure} of={row} to={placeOf(figure, row, period)} />,
  };
}

interface Subject {
  readonly infoHash: string;
  readonly nodeId: string;
  readonly buyer: string;
  readonly label: string;
}

/** The page that explains a figure of a torrent, node or buyer; a label's is the sum of its torrents' and has none. */
function placeOf({ opens }: Figure, { infoHash, nodeId, buyer, label }: Partial<Subject>, period: URLSearchParams) {
  if (opens === undefined || label !== undefined) return undefined;
  if (infoHash !== undefined) return addressOf(`/torrents/${infoHash}`, { explain: opens }, period);
  return addressOf('/revenue/explain', { figure: opens, nodeId: nodeId ?? '', buyer: buyer ?? '' }, period);
}

function Opened({ figure, of, to }: { readonly figure: Figure; readonly of: Shown; readonly to: string | undefined }) {
  const text = figure.text(of);
  if (to === undefined || text === '0') return text;
  return (
    <Link to={to} className="figure-link" title="Explain this figure">
      {text}
    </Link>
  );
}
