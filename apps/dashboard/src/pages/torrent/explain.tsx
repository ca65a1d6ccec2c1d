import type { Earnings, ExplainedChannel, ExplainedFigure, Explanation } from '../../api/types';
import { usePages } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Pill } from '../../components/pill';
import { collected, moment, onItsWay, satoshi, shortHash, sum } from '../../format';
import { Link, useQuery } from '../../router';

interface Figure {
  readonly id: ExplainedFigure;
  readonly name: string;
  readonly meaning: string;
  /** Shown also where it is 0. */
  readonly always?: boolean;
}

const FIGURES: readonly Figure[] = [
  { id: 'revenueSat', name: 'Revenue', meaning: 'all payments verified: pieces paid × price', always: true },
  { id: 'buriedSat', name: 'Buried', meaning: 'settlements buried in the chain, less their mining fee', always: true },
  { id: 'sweptSat', name: 'Swept', meaning: 'moved on to the treasury' },
  { id: 'settledSat', name: 'Mined', meaning: 'settlements in a block, not yet buried', always: true },
  { id: 'broadcastSat', name: 'Sent', meaning: 'settlements broadcast, not yet mined' },
  {
    id: 'collectableSat',
    name: 'Collectable',
    meaning: 'channels still to be settled, less the mining fee',
    always: true,
  },
  { id: 'feesReservedSat', name: 'Fees to come', meaning: 'mining fees of settlements to come' },
  { id: 'feesSat', name: 'Fees', meaning: 'mining fees of settlements sent, and of children that paid for them' },
  { id: 'accruedSat', name: 'Accrued', meaning: 'paid, but still below what a settlement would pay out' },
  { id: 'uncollectableSat', name: 'Too little', meaning: 'of channels that ended below what a settlement pays out' },
  { id: 'lostSat', name: 'Lost', meaning: 'payments that never arrive' },
  // Sums of the above, as other pages show them: here only while one is explained.
  { id: 'collectedSat', name: 'Collected', meaning: 'buried, whether or not it was moved to the treasury since' },
  { id: 'onItsWaySat', name: 'On its way', meaning: 'settlements sent or mined, not yet buried' },
  { id: 'allFeesSat', name: 'All fees', meaning: 'mining fees of settlements sent and to come' },
];

function amountOf(of: Earnings, figure: ExplainedFigure): string | bigint {
  switch (figure) {
    case 'collectedSat':
      return collected(of);
    case 'onItsWaySat':
      return onItsWay(of);
    case 'allFeesSat':
      return sum(of.feesSat, of.feesReservedSat);
    default:
      return of[figure];
  }
}

/** Sums are not shown beside their parts unless asked for. */
const SUMS: readonly ExplainedFigure[] = ['collectedSat', 'onItsWaySat', 'allFeesSat'];

/** The figures of a torrent; each opens to the channels and transactions that it adds up from. */
export function Explain({ infoHash, of }: { readonly infoHash: string; readonly of: Earnings | undefined }) {
  const [query, setQuery] = useQuery();
  const open = FIGURES.find(({ id }) => id === query.get('explain'));
  const shown = FIGURES.filter(
    (figure) =>
      figure.always === true ||
      figure === open ||
      (!SUMS.includes(figure.id) && of !== undefined && amountOf(of, figure.id) !== '0'),
  );
  return (
    <>
      <section aria-label="What it earned" className="stats explainable">
        {shown.map((figure) => (
          <button
            key={figure.id}
            type="button"
            className="stat"
            title={figure.meaning}
            aria-expanded={open === figure}
            onClick={() => setQuery({ explain: open === figure ? '' : figure.id })}
          >
            <span className="stat-name">{figure.name}</span>
            <span className="stat-value">
              {of === undefined ? '…' : satoshi(amountOf(of, figure.id))} <small>sat</small>
            </span>
            <span className="note">{open === figure ? 'close' : 'explain this figure'}</span>
          </button>
        ))}
      </section>
      {open !== undefined && <Breakdown key={open.id} infoHash={infoHash} figure={open} />}
    </>
  );
}

/** The channels behind a figure, as the books have them. */
function Breakdown({ infoHash, figure }: { readonly infoHash: string; readonly figure: Figure }) {
  const query = new URLSearchParams({ figure: figure.id, infoHash, limit: '100' });
  const list = usePages<ExplainedChannel>(`/v1/reports/explain?${query}`, ['channel', 'pulse']);
  const rows = list.value?.items ?? [];
  const total = (list.value as Explanation | undefined)?.totalSat;
  const shown = sum(...rows.map(({ amountSat }) => amountSat));
  const whole = list.page === 1 && list.next === undefined;
  return (
    <Card className="explained" title={`${figure.name}, explained`} failure={list.failure}>
      <p className="muted">{figure.meaning}</p>
      <DataTable
        caption={`Channels that make up: ${figure.name}`}
        columns={COLUMNS}
        rows={rows}
        keyOf={({ channelId }) => channelId}
        empty={list.value === undefined ? 'Asking the fleet…' : 'No channel adds to it.'}
        footer={[
          whole ? 'Together' : 'On this page',
          '',
          '',
          '',
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
      <Pager list={list} name="channels" />
    </Card>
  );
}

const COLUMNS: readonly Column<ExplainedChannel>[] = [
  {
    title: 'Channel',
    cell: ({ channelId }) => (
      <Link to={`/channels/${channelId}`} className="mono">
        {channelId.slice(0, 8)}
      </Link>
    ),
  },
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
