import type { Fleet, FleetNode } from '../api/types';
import type { Polled } from '../api/use-polling';
import { DataTable, type Column } from '../components/data-table';
import { Pill } from '../components/pill';
import { Section } from '../components/section';
import { ago, bytes, count, shortHash, words } from '../format';

interface NowProps {
  readonly fleet: Polled<Fleet>;
  readonly nodes: Polled<{ readonly items: readonly FleetNode[] }>;
}

const SHOWN_EVENTS = 10;

/** What the fleet is doing now: its work, its nodes, and what happened last. */
export function Now({ fleet, nodes }: NowProps) {
  const now = fleet.value;
  return (
    <Section id="now" title="Now" failure={fleet.failure ?? nodes.failure}>
      {now === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : (
        <>
          <ul className="facts">
            <Fact name="nodes up" value={count(now.nodes.up)} />
            {now.nodes.draining > 0 && <Fact name="nodes draining" value={count(now.nodes.draining)} />}
            {now.nodes.silent > 0 && <Fact name="nodes silent" value={count(now.nodes.silent)} />}
            <Fact name="torrents" value={count(now.torrents.active)} />
            <Fact name="connections" value={count(now.work.connections)} />
            <Fact name="channels selling" value={count(now.work.activeChannels)} />
            <Fact name="waiting to fund" value={count(now.work.joinedChannels)} />
            <Fact name="unpaid in flight" value={bytes(now.work.exposureBytes)} />
            <Fact name="sold since start" value={bytes(now.work.bytesSold)} />
            <Fact name="block" value={now.chain === null ? 'none yet' : count(now.chain.height)} />
          </ul>
          <div className="two">
            <DataTable
              caption="Nodes"
              columns={nodeColumns(now.now)}
              rows={nodes.value?.items ?? []}
              keyOf={({ id }) => id}
              empty="No node has registered yet."
            />
            <div>
              <h3>Last events</h3>
              <Events fleet={now} />
            </div>
          </div>
        </>
      )}
    </Section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <li>
      <strong>{value}</strong> <span className="muted">{name}</span>
    </li>
  );
}

function Events({ fleet }: { readonly fleet: Fleet }) {
  if (fleet.activity.length === 0) return <p className="muted">Nothing has happened yet.</p>;
  return (
    <ol className="events">
      {fleet.activity.slice(0, SHOWN_EVENTS).map((event) => (
        <li key={event.id}>
          <time dateTime={event.at}>{ago(event.at, fleet.now)}</time>
          <Pill state={event.state} />
          <span className="grow">
            {event.torrentName ?? shortHash(event.infoHash)} <span className="muted">{words(event.reason)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function nodeColumns(now: string): readonly Column<FleetNode>[] {
  return [
    { title: 'Node', cell: ({ id }) => <strong>{id}</strong> },
    { title: 'Address', cell: ({ peerAddress }) => <code>{peerAddress}</code> },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    { title: 'Channels', right: true, cell: ({ stats }) => count(stats.activeChannels) },
    { title: 'Sold', right: true, cell: ({ stats }) => bytes(stats.bytesSold) },
    { title: 'Heard', right: true, cell: ({ lastSeenAt }) => ago(lastSeenAt, now) },
  ];
}
