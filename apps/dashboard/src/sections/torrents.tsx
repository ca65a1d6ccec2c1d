import { useMemo, useState } from 'react';
import type { Page, Revenue, Torrent, TorrentRevenue } from '../api/types';
import type { Polled } from '../api/use-polling';
import { DataTable, type Column } from '../components/data-table';
import { Pill } from '../components/pill';
import { Section } from '../components/section';
import { bytes, count, satoshi, shortHash, sum } from '../format';

interface TorrentsProps {
  readonly torrents: Polled<Page<Torrent>>;
  readonly revenue: Polled<Revenue>;
}

/** A torrent with what it earned; either half may be missing. */
interface Line {
  readonly infoHash: string;
  readonly name: string;
  readonly torrent: Torrent | undefined;
  readonly earned: TorrentRevenue | undefined;
  /** What is known of a torrent that is not among those listed. */
  readonly absence: 'removed' | 'not listed';
}

/** Revenue per torrent, the best earner first. */
export function Torrents({ torrents, revenue }: TorrentsProps) {
  const [search, setSearch] = useState('');
  // Not before the torrents are known: earnings alone would look like those of removed torrents.
  const lines = useMemo(
    () => (torrents.value === undefined ? [] : merge(torrents.value, revenue.value?.items ?? [])),
    [torrents.value, revenue.value],
  );
  const wanted = search.trim().toLowerCase();
  const shown = lines.filter(
    ({ name, infoHash }) => name.toLowerCase().includes(wanted) || infoHash.startsWith(wanted),
  );
  const totals = revenue.value?.totals;
  const more = (torrents.value?.nextCursor ?? revenue.value?.nextCursor ?? null) !== null;
  return (
    <Section
      id="revenue"
      title="Revenue per torrent"
      failure={torrents.failure ?? revenue.failure}
      tools={
        <input
          type="search"
          aria-label="Search torrents"
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      }
    >
      <DataTable
        caption="Revenue per torrent, in satoshi"
        columns={COLUMNS}
        rows={shown}
        keyOf={({ infoHash }) => infoHash}
        empty={
          torrents.value === undefined
            ? 'Asking the fleet…'
            : lines.length === 0
              ? 'No torrents yet: npm run fleetctl -- torrents add FILE.torrent --content PATH'
              : 'None with that name.'
        }
        {...(totals === undefined || wanted !== ''
          ? {}
          : {
              footer: [
                'All torrents',
                '',
                '',
                count(totals.sales),
                count(totals.piecesPaid),
                satoshi(totals.revenueSat),
                satoshi(totals.collectableSat),
                satoshi(sum(totals.broadcastSat, totals.settledSat)),
                satoshi(totals.collectedSat),
                satoshi(sum(totals.feesSat, totals.lostSat, totals.atRiskSat)),
              ],
            })}
      />
      {more && <p className="muted">The newest are shown; npm run fleetctl -- revenue lists all.</p>}
    </Section>
  );
}

const amount = (pick: (earned: TorrentRevenue) => string | bigint) => (line: Line) =>
  line.earned === undefined ? '0' : satoshi(pick(line.earned));

const COLUMNS: readonly Column<Line>[] = [
  {
    title: 'Torrent',
    cell: ({ name, infoHash, torrent }) => (
      <span title={infoHash}>
        <strong className="name">{name}</strong>
        {torrent !== undefined && <small className="muted"> {bytes(torrent.totalBytes)}</small>}
      </span>
    ),
  },
  {
    title: 'State',
    cell: ({ torrent, absence }) =>
      torrent === undefined ? (
        <Pill state={absence} />
      ) : (
        <span title={torrent.sale.refusedNow ?? torrent.sale.detail}>
          <Pill state={torrent.sale.state} />
          {torrent.sale.state === 'verifying' && ` ${Math.floor(torrent.sale.progress * 100)} %`}
          {torrent.sale.state !== 'on-sale' && torrent.sale.detail !== '' && (
            <small className="muted block">{torrent.sale.detail}</small>
          )}
          {torrent.sale.state === 'on-sale' && torrent.sale.refusedNow !== null && (
            <small className="muted block">too dear at today’s fees: {torrent.sale.refusedNow}</small>
          )}
        </span>
      ),
  },
  {
    title: 'Price',
    right: true,
    hint: 'satoshi per piece',
    cell: ({ torrent }) =>
      torrent === undefined ? (
        ''
      ) : (
        <span title={`${torrent.offer.satPerMib} sat per MiB`}>{satoshi(torrent.offer.priceSat)}</span>
      ),
  },
  { title: 'Sales', right: true, cell: ({ earned }) => count(earned?.sales ?? 0) },
  { title: 'Pieces', right: true, cell: ({ earned }) => count(earned?.piecesPaid ?? 0) },
  {
    title: 'Revenue',
    right: true,
    hint: 'all payments verified, before fees',
    cell: amount((earned) => earned.revenueSat),
  },
  {
    title: 'Collectable',
    right: true,
    hint: 'in running channels, after fees',
    cell: amount((earned) => earned.collectableSat),
  },
  {
    title: 'On its way',
    right: true,
    hint: 'settlements sent or mined, not yet buried',
    cell: amount((earned) => sum(earned.broadcastSat, earned.settledSat)),
  },
  {
    title: 'Collected',
    right: true,
    hint: 'settlements buried, after fees',
    cell: amount((earned) => earned.collectedSat),
  },
  {
    title: 'Fees, lost',
    right: true,
    hint: 'mining fees paid, and what is at risk or lost',
    cell: amount((earned) => sum(earned.feesSat, earned.lostSat, earned.atRiskSat)),
  },
];

function merge(torrents: Page<Torrent>, earnings: readonly TorrentRevenue[]): Line[] {
  const absence = torrents.nextCursor === null ? ('removed' as const) : ('not listed' as const);
  const unlisted = new Map(earnings.map((earned) => [earned.infoHash, earned]));
  const lines: Line[] = torrents.items.map((torrent) => {
    const { infoHash, name } = torrent;
    const earned = unlisted.get(infoHash);
    unlisted.delete(infoHash);
    return { infoHash, name, torrent, earned, absence };
  });
  for (const [infoHash, earned] of unlisted) {
    lines.push({ infoHash, name: earned.name ?? shortHash(infoHash), torrent: undefined, earned, absence });
  }
  const gross = ({ earned }: Line) => BigInt(earned?.revenueSat ?? 0);
  return lines.sort((a, b) => (gross(a) < gross(b) ? 1 : gross(a) > gross(b) ? -1 : a.name.localeCompare(b.name)));
}
