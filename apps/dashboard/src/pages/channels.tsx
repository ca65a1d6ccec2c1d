import type { Channel, Fleet } from '../api/types';
import { useLive, usePages } from '../api/use-live';
import { CHANNEL, STATE, TORRENT } from '../components/channel-columns';
import { ChannelList } from '../components/channel-list';
import { Choice } from '../components/choice';
import { Chosen } from '../components/chosen';
import type { Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { ago, count, satoshi, until, words } from '../format';
import { useQuery } from '../router';

const SORTS = [
  ['newest', 'Newest'],
  ['deadline', 'Deadline'],
  ['exposure', 'Most paid, unsettled'],
] as const;
type Sort = (typeof SORTS)[number][0];
/** States in which the deadline is still to come. */
const SELLING = new Set(['joined', 'funding-seen', 'funded', 'closing']);

/** Every channel, by state, deadline or what is paid and not yet settled. */
export function ChannelsPage() {
  const [query, setQuery] = useQuery();
  const fleet = useLive<Fleet>('/v1/fleet', ['channel']).value;
  const [state = '', infoHash = '', nodeId = ''] = ['state', 'infoHash', 'nodeId'].map((name) => query.get(name) ?? '');
  const sort = (SORTS.find(([name]) => name === query.get('sort')) ?? SORTS[0])[0];
  const asked = new URLSearchParams({ limit: '25', sort });
  for (const [name, value] of Object.entries({ state, infoHash, nodeId })) if (value !== '') asked.set(name, value);
  const channels = usePages<Channel>(`/v1/channels?${asked}`, ['channel', 'pulse']);
  const now = new Date().toISOString();
  return (
    <>
      <PageHead title="Channels" lead="Each is one sale to one buyer, from the join to the buried settlement.">
        {(infoHash !== '' || nodeId !== '') && (
          <Chosen
            name={`Of ${nodeId === '' ? 'one torrent' : nodeId}`}
            onDrop={() => setQuery({ infoHash: '', nodeId: '' })}
          />
        )}
      </PageHead>
      <ChannelList
        title="Channels"
        list={channels}
        columns={columns(now)}
        empty="No channels like that."
        tools={
          <>
            <Choice<Sort> label="Order" options={SORTS} value={sort} onChoose={(by) => setQuery({ sort: by })} />
            <select aria-label="State" value={state} onChange={(event) => setQuery({ state: event.target.value })}>
              <option value="">{sort === 'newest' ? 'all states' : 'all open states'}</option>
              {Object.entries(fleet?.channels ?? {}).map(([name, number]) => (
                <option key={name} value={name}>
                  {words(name)} ({count(number)})
                </option>
              ))}
            </select>
          </>
        }
      />
    </>
  );
}

function columns(now: string): readonly Column<Channel>[] {
  return [
    CHANNEL,
    {
      title: 'Opened',
      cell: ({ createdAt }) => (
        <time dateTime={createdAt} className="whole">
          {ago(createdAt, now)} ago
        </time>
      ),
    },
    TORRENT,
    { title: 'Buyer', cell: ({ peerAddress, peerClient }) => <span title={peerClient}>{peerAddress}</span> },
    { title: 'Node', cell: ({ nodeId }) => <span className="whole">{nodeId}</span> },
    STATE,
    {
      title: 'Paid',
      right: true,
      hint: 'pieces',
      cell: ({ k, pieceCount }) => (
        <span className="progress">
          {k} of {pieceCount}
          <progress value={k} max={pieceCount} aria-label={`${k} of ${pieceCount} pieces paid`} />
        </span>
      ),
    },
    { title: 'Revenue', right: true, hint: 'satoshi', cell: ({ paidSat }) => satoshi(paidSat) },
    { title: 'Net', right: true, hint: 'satoshi after the settlement fee', cell: ({ netSat }) => satoshi(netSat) },
    {
      title: 'Deadline',
      right: true,
      hint: 'settlement starts then at the latest',
      cell: ({ state, deadlineAt }) => (deadlineAt === null || !SELLING.has(state) ? '–' : until(deadlineAt, now)),
    },
  ];
}
