import { useState } from 'react';
import type { Channel, ChannelDetail, Fleet, Page } from '../api/types';
import { usePolling, type Polled } from '../api/use-polling';
import { DataTable, type Column } from '../components/data-table';
import { Pill } from '../components/pill';
import { Section } from '../components/section';
import { ago, satoshi, shortHash, until, words } from '../format';

const SHOWN = 50;
/** States in which the deadline is still to come. */
const SELLING = new Set(['joined', 'funding-seen', 'funded']);

/** Channels, newest first, by state; a channel opens to its story. */
export function Channels({ fleet }: { readonly fleet: Polled<Fleet> }) {
  const [state, setState] = useState('');
  const [open, setOpen] = useState<string | null>(null);
  const query = new URLSearchParams({ limit: String(SHOWN), ...(state === '' ? {} : { state }) });
  const channels = usePolling<Page<Channel>>(`/v1/channels?${query}`);
  const counts = Object.entries(fleet.value?.channels ?? {});
  const now = fleet.value?.now ?? new Date().toISOString();
  const toggle = (id: string) => setOpen((before) => (before === id ? null : id));
  return (
    <Section
      id="channels"
      title="Channels"
      failure={channels.failure}
      tools={
        <select
          aria-label="State of the channels shown"
          value={state}
          onChange={(event) => setState(event.target.value)}
        >
          <option value="">all states</option>
          {counts.map(([name, channelCount]) => (
            <option key={name} value={name}>
              {words(name)} ({channelCount})
            </option>
          ))}
        </select>
      }
    >
      <DataTable
        caption="Channels, newest first"
        columns={columns(now, open, toggle)}
        rows={channels.value?.items ?? []}
        keyOf={({ id }) => id}
        empty={channels.value === undefined ? 'Asking the fleet…' : 'No channels.'}
        details={({ id }) => (id === open ? <Story id={id} /> : null)}
      />
      {typeof channels.value?.nextCursor === 'string' && (
        <p className="muted">The newest {SHOWN} are shown; npm run fleetctl -- channels list shows more.</p>
      )}
    </Section>
  );
}

function columns(now: string, open: string | null, toggle: (id: string) => void): readonly Column<Channel>[] {
  return [
    {
      title: 'Channel',
      cell: ({ id }) => (
        <button type="button" className="link" aria-expanded={open === id} onClick={() => toggle(id)}>
          {id.slice(0, 8)}
        </button>
      ),
    },
    { title: 'Opened', cell: ({ createdAt }) => <time dateTime={createdAt}>{ago(createdAt, now)} ago</time> },
    { title: 'Torrent', cell: ({ torrentName, infoHash }) => torrentName ?? shortHash(infoHash) },
    { title: 'Buyer', cell: ({ peerAddress, peerClient }) => <span title={peerClient}>{peerAddress}</span> },
    { title: 'Node', cell: ({ nodeId }) => nodeId },
    {
      title: 'State',
      cell: ({ state, stateReason }) => (
        <span title={stateReason}>
          <Pill state={state} />
        </span>
      ),
    },
    { title: 'Paid', right: true, hint: 'pieces', cell: ({ k, pieceCount }) => `${k} of ${pieceCount}` },
    { title: 'Revenue', right: true, hint: 'satoshi', cell: ({ paidSat }) => satoshi(paidSat) },
    { title: 'Net', right: true, hint: 'satoshi after the settlement fee', cell: ({ netSat }) => satoshi(netSat) },
    {
      title: 'Deadline',
      hint: 'settlement starts then at the latest',
      cell: ({ state, deadlineAt }) => (deadlineAt === null || !SELLING.has(state) ? '–' : until(deadlineAt, now)),
    },
  ];
}

function Story({ id }: { readonly id: string }) {
  const { value } = usePolling<ChannelDetail>(`/v1/channels/${id}`);
  if (value === undefined) return <p className="muted">Asking the fleet…</p>;
  return (
    <div className="story">
      <dl className="pairs">
        <dt>Channel</dt>
        <dd>
          <code>{value.id}</code>
        </dd>
        <dt>Funding</dt>
        <dd>
          {value.fundingTxid === null ? (
            'none yet'
          ) : (
            <>
              <code>
                {value.fundingTxid}:{value.fundingVout}
              </code>
              , {satoshi(value.fundingValueSat ?? '0')} sat, {value.fundingConfirmations} confirmations
            </>
          )}
        </dd>
        <dt>Settlement</dt>
        <dd>
          {value.settlementTxid === null ? (
            'none yet'
          ) : (
            <>
              <code>{value.settlementTxid}</code>, {value.settlementConfirmations} confirmations
            </>
          )}
        </dd>
        <dt>Terms</dt>
        <dd>
          {satoshi(value.priceSat)} sat per piece, settlement fee {satoshi(value.settlementFeeSat)} sat, first paying
          piece {value.kMin ?? '–'}, last piece covered {value.kCap ?? '–'}
        </dd>
      </dl>
      <ol className="events">
        {value.story.map((event) => (
          <li key={event.version}>
            <time dateTime={event.at}>{event.at.slice(0, 19).replace('T', ' ')}</time>
            <Pill state={event.state} />
            <span className="grow">{words(event.reason)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
