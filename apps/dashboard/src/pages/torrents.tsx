import type { Torrent } from '../api/types';
import { usePages, waiting } from '../api/use-live';
import { Card } from '../components/card';
import { DataTable, type Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { Pager } from '../components/pager';
import { Pill } from '../components/pill';
import { Search } from '../components/search';
import { Chosen } from '../components/chosen';
import { Labels } from '../components/labels';
import { ago, bytes, plainName, rate, satoshi } from '../format';
import { addressOf } from '../period';
import { Link, useQuery } from '../router';
import { useMay } from '../session/session';

const SORTS = [
  ['newest', 'Newest first'],
  ['oldest', 'Oldest first'],
  ['name', 'By name'],
  ['dearest', 'Dearest first'],
  ['cheapest', 'Cheapest first'],
  ['largest', 'Largest first'],
  ['smallest', 'Smallest first'],
] as const;
const STATES = [
  ['', 'Active and paused'],
  ['active', 'Active'],
  ['paused', 'Paused'],
  ['removed', 'Removed'],
] as const;

/** What the fleet sells, and for how much. */
export function TorrentsPage() {
  const may = useMay('operate');
  const mayPrice = useMay('money');
  const [query, setQuery] = useQuery();
  const [search = '', state = '', sort = '', label = '', tier = ''] = ['search', 'state', 'sort', 'label', 'tier'].map(
    (name) => query.get(name) ?? '',
  );
  const torrents = usePages<Torrent>(addressOf('/v1/torrents', { limit: '25', search, state, sort, label, tier }), [
    'torrent',
    'offer',
    'pulse',
  ]);
  const wanted = { search, label, tier, state: state === 'removed' ? '' : state };
  return (
    <>
      <PageHead title="Torrents" lead="What is on sale, and at what price.">
        {label !== '' && <Chosen name={`With the label ${label}`} onDrop={() => setQuery({ label: '' })} />}
        {tier !== '' && <Chosen name={`Of the tier ${tier}`} onDrop={() => setQuery({ tier: '' })} />}
        {mayPrice && (
          <Link to={addressOf('/torrents/prices', wanted)} className="button">
            Change prices
          </Link>
        )}
        {may && (
          <Link to="/torrents/add" className="button">
            Add torrents
          </Link>
        )}
      </PageHead>
      <Card
        title="Torrents"
        failure={torrents.failure}
        tools={
          <>
            <select aria-label="State" value={state} onChange={(event) => setQuery({ state: event.target.value })}>
              {STATES.map(([value, title]) => (
                <option key={value} value={value}>
                  {title}
                </option>
              ))}
            </select>
            <select
              aria-label="Order"
              value={sort || 'newest'}
              onChange={(event) => setQuery({ sort: event.target.value })}
            >
              {SORTS.map(([value, title]) => (
                <option key={value} value={value}>
                  {title}
                </option>
              ))}
            </select>
            <Search label="Search torrents" value={search} onSearch={(text) => setQuery({ search: text })} />
          </>
        }
      >
        <DataTable
          caption="Torrents"
          columns={COLUMNS}
          rows={torrents.value?.items ?? []}
          keyOf={({ infoHash }) => infoHash}
          empty={
            torrents.value === undefined
              ? waiting(torrents)
              : [search, state, label, tier].every((filter) => filter === '')
                ? 'No torrents yet: add one of a folder, or from a .torrent file.'
                : 'None like that.'
          }
        />
        <Pager list={torrents} name="torrents" />
      </Card>
    </>
  );
}

const COLUMNS: readonly Column<Torrent>[] = [
  {
    title: 'Torrent',
    cell: ({ name, infoHash, labels }) => (
      <>
        <Link to={`/torrents/${infoHash}`} className="name" title={infoHash}>
          {plainName(name)}
        </Link>
        <Labels labels={labels} most={4} />
      </>
    ),
  },
  { title: 'State', cell: ({ sale }) => <SaleState sale={sale} /> },
  { title: 'Nodes', right: true, cell: ({ sale }) => sale.nodesOnSale },
  { title: 'Size', right: true, cell: ({ totalBytes }) => bytes(totalBytes) },
  { title: 'Price', right: true, hint: 'satoshi per piece', cell: ({ offer }) => satoshi(offer.priceSat) },
  { title: 'Per MiB', right: true, hint: 'satoshi', cell: ({ offer }) => rate(offer.satPerMib, 2) },
  { title: 'Complete sale', right: true, hint: 'satoshi', cell: ({ totalSat }) => satoshi(totalSat) },
  { title: 'Added', right: true, cell: ({ createdAt }) => `${ago(createdAt, new Date().toISOString())} ago` },
];

/** How the sale of a torrent stands, with what stands in its way. */
export function SaleState({ sale }: { readonly sale: Torrent['sale'] }) {
  return (
    <span title={sale.refusedNow ?? sale.detail}>
      <Pill state={sale.state} />
      {(sale.state === 'verifying' || sale.state === 'fetching') && ` ${Math.floor(sale.progress * 100)} %`}
      {sale.state !== 'on-sale' && sale.detail !== '' && <small className="muted block">{sale.detail}</small>}
      {sale.state === 'on-sale' && sale.refusedNow !== null && (
        <small className="muted block">too dear at today’s fees: {sale.refusedNow}</small>
      )}
    </span>
  );
}
