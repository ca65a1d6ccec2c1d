import type { Channel, Earnings } from '../../api/types';
import { usePages } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Pill } from '../../components/pill';
import { count, satoshi, shortHash, sum } from '../../format';
import { Link, useQuery } from '../../router';

interface Figure {
  readonly id: string;
  readonly name: string;
  readonly meaning: string;
  readonly amount: (of: Earnings) => string | bigint;
  /** States of the channels that it is made of; none: all. */
  readonly states: readonly string[];
  /** What one channel adds to it. */
  readonly part: (channel: Channel) => bigint;
}

/** A settlement of this much or less has no output for the seller. */
const DUST_SAT = 546n;
const paid = (channel: Channel) => BigInt(channel.paidSat);
const net = (channel: Channel) => BigInt(channel.netSat);
const collects = (channel: Channel) => paid(channel) > DUST_SAT + BigInt(channel.settlementFeeSat);
const OPEN = ['funding-seen', 'funded', 'closing', 'settle-rejected', 'refund-seen', 'funding-missing', 'joined'];

const FIGURES: readonly Figure[] = [
  {
    id: 'revenue',
    name: 'Revenue',
    meaning: 'all payments verified: pieces paid × price',
    amount: ({ revenueSat }) => revenueSat,
    states: [],
    part: paid,
  },
  {
    id: 'collected',
    name: 'Collected',
    meaning: 'settlements buried in the chain: pieces paid × price − mining fee',
    amount: ({ collectedSat }) => collectedSat,
    states: ['buried'],
    part: net,
  },
  {
    id: 'on-its-way',
    name: 'On its way',
    meaning: 'settlements sent or mined, not yet buried: pieces paid × price − mining fee',
    amount: ({ broadcastSat, confirmedSat }) => sum(broadcastSat, confirmedSat),
    states: ['settling', 'settled'],
    part: net,
  },
  {
    id: 'collectable',
    name: 'Collectable',
    meaning: 'channels still to be settled: pieces paid × price − mining fee',
    amount: ({ collectableSat }) => collectableSat,
    states: OPEN,
    part: (channel) => (collects(channel) ? net(channel) : 0n),
  },
  {
    id: 'lost',
    name: 'Lost',
    meaning: 'payments that never arrive',
    amount: ({ lostSat }) => lostSat,
    states: ['lost'],
    part: (channel) => (collects(channel) ? paid(channel) : 0n),
  },
];

/** The figures of a torrent; each opens to the channels and transactions that it adds up from. */
export function Explain({ infoHash, of }: { readonly infoHash: string; readonly of: Earnings | undefined }) {
  const [query, setQuery] = useQuery();
  const open = FIGURES.find(({ id }) => id === query.get('explain'));
  return (
    <>
      <section aria-label="What it earned" className="stats explainable">
        {FIGURES.map((figure) => (
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
              {of === undefined ? '…' : satoshi(figure.amount(of))} <small>sat</small>
            </span>
            <span className="note">{open === figure ? 'close' : 'explain this figure'}</span>
          </button>
        ))}
      </section>
      {open !== undefined && (
        <Breakdown key={open.id} infoHash={infoHash} figure={open} amount={of && open.amount(of)} />
      )}
    </>
  );
}

interface BreakdownProps {
  readonly infoHash: string;
  readonly figure: Figure;
  readonly amount: string | bigint | undefined;
}

function Breakdown({ infoHash, figure, amount }: BreakdownProps) {
  const query = new URLSearchParams({ infoHash, limit: '100' });
  for (const state of figure.states) query.append('state', state);
  const channels = usePages<Channel>(`/v1/channels?${query}`, ['channel', 'pulse']);
  const rows = (channels.value?.items ?? []).filter((channel) => figure.part(channel) > 0n);
  const shown = sum(...rows.map((channel) => figure.part(channel).toString()));
  const whole = channels.page === 1 && channels.next === undefined;
  return (
    <Card className="explained" title={`${figure.name}, explained`} failure={channels.failure}>
      <p className="muted">{figure.meaning}</p>
      <DataTable
        caption={`Channels that make up: ${figure.name}`}
        columns={columns(figure)}
        rows={rows}
        keyOf={({ id }) => id}
        empty={channels.value === undefined ? 'Asking the fleet…' : 'No channel adds to it.'}
        footer={[
          whole ? 'Together' : 'On this page',
          '',
          '',
          '',
          <span key="sum">
            {satoshi(shown)}
            {whole && amount !== undefined && (
              <small className={shown === BigInt(amount) ? 'good block' : 'bad block'}>
                {shown === BigInt(amount) ? 'the same as in the books' : `the books say ${satoshi(amount)}`}
              </small>
            )}
          </span>,
        ]}
      />
      <Pager list={channels} name="channels" />
    </Card>
  );
}

function columns(figure: Figure): readonly Column<Channel>[] {
  return [
    {
      title: 'Channel',
      cell: ({ id }) => (
        <Link to={`/channels/${id}`} className="mono">
          {id.slice(0, 8)}
        </Link>
      ),
    },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    {
      title: 'Transaction',
      cell: ({ settlementTxid, fundingTxid }) => {
        const txid = settlementTxid ?? fundingTxid;
        return txid === null ? '–' : <code title={txid}>{shortHash(txid)}</code>;
      },
    },
    {
      title: 'How',
      right: true,
      cell: (channel) =>
        figure.part === net || figure.id === 'collectable'
          ? `${count(channel.k)} × ${satoshi(channel.priceSat)} − ${satoshi(channel.settlementFeeSat)}`
          : `${count(channel.k)} × ${satoshi(channel.priceSat)}`,
    },
    { title: 'Satoshi', right: true, cell: (channel) => satoshi(figure.part(channel)) },
  ];
}
