import type { ExplainedFigure } from '@seedfleet/books';
import type { ExplainedChannel, Explanation } from '../../api/types';
import { usePages, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Pill } from '../../components/pill';
import { FIGURES, partNames } from '../../figures';
import { moment, satoshi, shortHash, sum } from '../../format';
import { addressOf, periodWords } from '../../period';
import { Link } from '../../router';

interface BreakdownProps {
  readonly figure: ExplainedFigure;
  /** Whose: `infoHash`, `nodeId` or `buyer`; of the whole fleet where it names none. */
  readonly subject: Readonly<Record<string, string>>;
  readonly period: URLSearchParams;
}

/** The channels behind a figure, as the books have them. */
export function Breakdown({ figure, subject, period }: BreakdownProps) {
  const { name, meaning } = FIGURES[figure];
  const list = usePages<ExplainedChannel>(addressOf('/v1/reports/explain', { figure, limit: '100' }, subject, period), [
    'channel',
    'pulse',
  ]);
  const rows = list.value?.items ?? [];
  const { totalSat: total, treasurySat = '0' } = (list.value as Explanation | undefined) ?? {};
  // What belongs to no channel is told on the last page.
  const treasury = list.next === undefined ? treasurySat : '0';
  const shown = sum(treasury, ...rows.map(({ amountSat }) => amountSat));
  const whole = list.page === 1 && list.next === undefined;
  const parts = partNames(figure);
  const columns = 'infoHash' in subject ? COLUMNS : [CHANNEL, TORRENT, ...COLUMNS.slice(1)];
  return (
    <Card className="explained" title={`${name}, explained`} failure={list.failure}>
      <p className="muted">
        {meaning}
        {parts !== '' && ` (${parts})`}; {period.size === 0 ? '' : 'booked '}
        {periodWords(period)}
      </p>
      <DataTable
        caption={`Channels that make up: ${name}`}
        columns={columns}
        rows={rows}
        keyOf={({ channelId }) => channelId}
        empty={list.value === undefined ? waiting(list) : 'No channel adds to it.'}
        footer={[
          whole ? 'Together' : 'On this page',
          ...columns.slice(2).map(() => ''),
          <span key="sum">
            {satoshi(shown)}
            {total !== undefined && (
              <small className={whole && shown !== BigInt(total) ? 'bad block' : 'good block'}>
                {!whole
                  ? `of ${satoshi(total)}`
                  : shown === BigInt(total)
                    ? 'the same as in the books'
                    : `the books say ${satoshi(total)}`}
              </small>
            )}
          </span>,
        ]}
      />
      {treasury !== '0' && (
        <p className="muted">
          {satoshi(treasury)} sat of it are of the treasury’s sweeps and splits, which belong to no channel.{' '}
          <Link to="/treasury">See the treasury</Link>
        </p>
      )}
      <Pager list={list} name="channels" />
    </Card>
  );
}

const CHANNEL: Column<ExplainedChannel> = {
  title: 'Channel',
  cell: ({ channelId }) => (
    <Link to={`/channels/${channelId}`} className="mono">
      {channelId.slice(0, 8)}
    </Link>
  ),
};

const TORRENT: Column<ExplainedChannel> = {
  title: 'Torrent',
  cell: ({ infoHash }) => (
    <Link to={`/torrents/${infoHash}`} className="mono" title={infoHash}>
      {shortHash(infoHash)}
    </Link>
  ),
};

const COLUMNS: readonly Column<ExplainedChannel>[] = [
  CHANNEL,
  { title: 'Opened', cell: ({ createdAt }) => moment(createdAt) },
  { title: 'State', cell: ({ state }) => <Pill state={state} /> },
  {
    title: 'Transaction',
    cell: ({ settlementTxid, fundingTxid }) => {
      const txid = settlementTxid ?? fundingTxid;
      return txid === null ? '–' : <code title={txid}>{shortHash(txid)}</code>;
    },
  },
  { title: 'Satoshi', right: true, cell: ({ amountSat }) => satoshi(amountSat) },
];
