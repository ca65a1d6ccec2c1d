import type { FleetNode } from '../api/types';
import { useLive, waiting } from '../api/use-live';
import { Card } from '../components/card';
import { DataTable, type Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { Pill } from '../components/pill';
import { Stat, Stats } from '../components/stat';
import { ago, bytes, count, plural } from '../format';
import { Link } from '../router';

/** The machines that sell. */
export function NodesPage() {
  const nodes = useLive<{ readonly items: readonly FleetNode[] }>('/v1/nodes', ['node', 'pulse']);
  const rows = nodes.value?.items ?? [];
  const heard = rows.filter(({ state }) => state !== 'silent');
  const total = (name: keyof FleetNode['stats']) => heard.reduce((all, { stats }) => all + stats[name], 0);
  return (
    <>
      <PageHead title="Nodes" lead="They serve buyers and hold no key." />
      <Stats label="All nodes together">
        <Stat name="Up" value={count(rows.filter(({ state }) => state === 'up').length)} />
        <Stat name="Connections" value={count(total('connections'))} />
        <Stat name="Channels selling" value={count(total('activeChannels'))} />
        <Stat name="Unpaid in flight" value={bytes(total('exposureBytes'))} hint="delivered and not yet durably paid" />
        <Stat name="Sold since start" value={bytes(total('bytesSold'))} note={plural(total('piecesSold'), 'piece')} />
      </Stats>
      <Card title="Nodes" failure={nodes.failure}>
        <DataTable
          caption="Nodes"
          columns={columns(new Date().toISOString())}
          rows={rows}
          keyOf={({ id }) => id}
          empty={nodes.value === undefined ? waiting(nodes) : 'No node has registered yet.'}
        />
      </Card>
    </>
  );
}

function columns(now: string): readonly Column<FleetNode>[] {
  return [
    {
      title: 'Node',
      cell: ({ id }) => (
        <Link to={`/channels?nodeId=${encodeURIComponent(id)}`} className="name" title="Channels of this node">
          {id}
        </Link>
      ),
    },
    { title: 'Address', cell: ({ peerAddress }) => <code>{peerAddress}</code> },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    { title: 'On sale', right: true, hint: 'torrents', cell: ({ torrents }) => count(torrents['on-sale'] ?? 0) },
    {
      title: 'In trouble',
      right: true,
      hint: 'torrents whose content is missing, corrupt or can’t be read',
      cell: ({ torrents }) =>
        count((torrents['missing'] ?? 0) + (torrents['corrupt'] ?? 0) + (torrents['failed'] ?? 0)),
    },
    { title: 'Connections', right: true, cell: ({ stats }) => count(stats.connections) },
    { title: 'Channels', right: true, cell: ({ stats }) => count(stats.activeChannels) },
    { title: 'In flight', right: true, hint: 'unpaid', cell: ({ stats }) => bytes(stats.exposureBytes) },
    { title: 'Sold', right: true, cell: ({ stats }) => bytes(stats.bytesSold) },
    { title: 'Version', cell: ({ version }) => version },
    { title: 'Heard', right: true, cell: ({ lastSeenAt }) => `${ago(lastSeenAt, now)} ago` },
  ];
}
