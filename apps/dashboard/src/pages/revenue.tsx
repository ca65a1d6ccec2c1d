import type { BookedFigure, Earner, Earnings, Series } from '../api/types';
import { useLive, usePages } from '../api/use-live';
import { Card } from '../components/card';
import { DataTable, type Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { Pager } from '../components/pager';
import { Search } from '../components/search';
import { Sparkline } from '../components/sparkline';
import { Split } from '../components/split';
import { collected, count, onItsWay, satoshi, shortHash, sum } from '../format';
import { Link, useQuery } from '../router';

const MONEY_NEWS = ['channel', 'pulse'];

/** What each torrent earned, the best first. The server sorts, searches and cuts pages. */
export function RevenuePage() {
  const [query, setQuery] = useQuery();
  const sort = query.get('sort') ?? 'revenue';
  const search = query.get('search') ?? '';
  const asked = new URLSearchParams({ limit: '25', sparkDays: '30', sort, ...(search === '' ? {} : { search }) });
  const earners = usePages<Earner>(`/v1/reports/torrents?${asked}`, MONEY_NEWS);
  const total = useLive<Series>('/v1/overview/series?period=day&count=1', MONEY_NEWS).value?.total;
  return (
    <>
      <PageHead title="Revenue" lead="Every figure opens to the channels and transactions behind it." />
      {total !== undefined && (
        <section className="card" aria-label="Where the revenue is">
          <Split of={total} />
        </section>
      )}
      <Card
        title="Revenue per torrent"
        failure={earners.failure}
        tools={<Search label="Search torrents" value={search} onSearch={(text) => setQuery({ search: text })} />}
      >
        <DataTable
          caption="Revenue per torrent, in satoshi"
          columns={COLUMNS}
          rows={earners.value?.items ?? []}
          keyOf={({ infoHash }) => infoHash}
          empty={
            earners.value === undefined
              ? 'Asking the fleet…'
              : search === ''
                ? 'Nothing was sold yet.'
                : 'None with that name.'
          }
          sorted={{ by: sort, descending: true, onSort: (by) => setQuery({ sort: by }) }}
          {...(total === undefined || search !== '' || earners.page > 1 ? {} : { footer: footer(total) })}
        />
        <Pager list={earners} name="revenue" />
      </Card>
    </>
  );
}

function footer(total: Earnings) {
  return [
    'All torrents',
    '',
    count(total.channels),
    satoshi(total.revenueSat),
    satoshi(collected(total)),
    satoshi(onItsWay(total)),
    satoshi(total.collectableSat),
    satoshi(sum(total.feesSat, total.feesReservedSat)),
    satoshi(total.lostSat),
    '',
  ];
}

const COLUMNS: readonly Column<Earner>[] = [
  {
    title: 'Torrent',
    cell: ({ name, infoHash }) => (
      <Link to={`/torrents/${infoHash}`} className="name" title={infoHash}>
        {name ?? shortHash(infoHash)}
      </Link>
    ),
  },
  {
    title: '30 days',
    cell: ({ revenueByDay }) => <Sparkline values={revenueByDay} label="Revenue of the last 30 days" />,
  },
  { title: 'Sales', right: true, sort: 'channels', cell: ({ channels }) => count(channels) },
  {
    title: 'Revenue',
    right: true,
    sort: 'revenue',
    hint: 'all payments verified, before fees',
    cell: (row) => <Explained row={row} figure="revenueSat" amount={row.revenueSat} />,
  },
  {
    title: 'Collected',
    right: true,
    sort: 'buried',
    hint: 'settlements buried, after fees',
    cell: (row) => <Explained row={row} figure="buriedSat" amount={collected(row)} />,
  },
  {
    title: 'On its way',
    right: true,
    hint: 'settlements sent or mined, not yet buried',
    cell: (row) => <Explained row={row} figure="settledSat" amount={onItsWay(row)} />,
  },
  {
    title: 'Collectable',
    right: true,
    sort: 'collectable',
    hint: 'in running channels, after fees',
    cell: (row) => <Explained row={row} figure="collectableSat" amount={row.collectableSat} />,
  },
  {
    title: 'Fees',
    right: true,
    hint: 'mining fees of settlements sent and to come',
    cell: (row) => satoshi(sum(row.feesSat, row.feesReservedSat)),
  },
  {
    title: 'Lost',
    right: true,
    sort: 'lost',
    cell: (row) => <Explained row={row} figure="lostSat" amount={row.lostSat} />,
  },
  {
    title: 'Profit',
    right: true,
    hint: 'mined and buried, less bandwidth and disk at the operator’s rates',
    cell: ({ profit }) => satoshi(profit.profitSat),
  },
];

/** A figure that opens to what it is made of. */
function Explained({
  row,
  figure,
  amount,
}: {
  readonly row: Earner;
  readonly figure: BookedFigure;
  readonly amount: string | bigint;
}) {
  if (BigInt(amount) === 0n) return '0';
  return (
    <Link to={`/torrents/${row.infoHash}?explain=${figure}`} className="figure-link" title="Explain this figure">
      {satoshi(amount)}
    </Link>
  );
}
