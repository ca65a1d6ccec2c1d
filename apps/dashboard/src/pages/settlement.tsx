import type { Channel, Series } from '../api/types';
import { useLive, usePages } from '../api/use-live';
import { CHANNEL, STATE, TORRENT } from '../components/channel-columns';
import { ChannelList } from '../components/channel-list';
import { Choice } from '../components/choice';
import type { Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { Split } from '../components/split';
import { Stat, Stats } from '../components/stat';
import { amountOf } from '../figures';
import { ago, count, satoshi, shortHash } from '../format';
import { useQuery } from '../router';

const VIEWS = [
  ['way', 'On their way'],
  ['trouble', 'In trouble'],
  ['buried', 'Buried'],
] as const;
type View = (typeof VIEWS)[number][0];
const STATES: Readonly<Record<View, readonly string[]>> = {
  way: ['closing', 'settling', 'settled'],
  trouble: ['settle-rejected', 'funding-missing', 'refund-seen', 'lost'],
  buried: ['buried'],
};

/** How payments become money on chain. */
export function SettlementPage() {
  const [query, setQuery] = useQuery();
  const view = (VIEWS.find(([name]) => name === query.get('view')) ?? VIEWS[0])[0];
  const asked = new URLSearchParams({ limit: '25' });
  for (const state of STATES[view]) asked.append('state', state);
  const channels = usePages<Channel>(`/v1/channels?${asked}`, ['channel', 'chain']);
  const total = useLive<Series>('/v1/overview/series?period=day&count=1', ['channel', 'pulse']).value?.total;
  return (
    <>
      <PageHead title="Settlement" lead="From the last payment of a channel to a settlement under six blocks." />
      <Stats label="Where the money is">
        <Stat name="To be settled" hint="in running and closing channels, after fees" sat={total?.collectableSat} />
        <Stat name="Sent" hint="settlements broadcast, not yet mined" sat={total?.broadcastSat} />
        <Stat name="Mined" hint="settlements in a block, not yet buried" sat={total?.settledSat} />
        <Stat
          name="Collected"
          hint="settlements buried, in the treasury or on the way there"
          sat={total && amountOf(total, 'collectedSat')}
          tone="good"
        />
        <Stat name="Fees paid" hint="mining fees of settlements sent" sat={total?.feesSat} />
        <Stat name="Fees to come" hint="mining fees of settlements to come" sat={total?.feesReservedSat} />
      </Stats>
      {total !== undefined && total.revenueSat !== '0' && (
        <section className="card" aria-label="Where the revenue is">
          <Split of={total} />
        </section>
      )}
      <ChannelList
        title="Settlements"
        list={channels}
        columns={columns(new Date().toISOString())}
        empty="No settlement is in that state."
        tools={
          <Choice<View> label="Which" options={VIEWS} value={view} onChoose={(name) => setQuery({ view: name })} />
        }
      />
    </>
  );
}

function columns(now: string): readonly Column<Channel>[] {
  return [
    CHANNEL,
    TORRENT,
    STATE,
    { title: 'Since', right: true, cell: ({ stateEnteredAt }) => ago(stateEnteredAt, now) },
    {
      title: 'Transaction',
      cell: ({ settlementTxid }) =>
        settlementTxid === null ? '–' : <code title={settlementTxid}>{shortHash(settlementTxid)}</code>,
    },
    { title: 'Confirmations', right: true, cell: ({ settlementConfirmations }) => count(settlementConfirmations) },
    { title: 'Fee', right: true, cell: ({ settlementFeeSat }) => satoshi(settlementFeeSat) },
    { title: 'Net', right: true, cell: ({ netSat }) => satoshi(netSat) },
  ];
}
