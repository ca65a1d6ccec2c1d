import { nodeStanding } from './liveness.js';
import type { NodeRow } from './node.repository.js';
import { nodeStatsSchema, type NodeView } from './node.schemas.js';

/** How a node looks in answers. */
export function nodeView(
  row: NodeRow,
  counts: readonly { nodeId: string; state: string; torrents: number }[],
  nowMs: number,
): NodeView {
  const stats = nodeStatsSchema.parse(row.stats);
  const own = counts.filter(({ nodeId }) => nodeId === row.id);
  return {
    id: row.id,
    peerAddress: row.peerAddress,
    state: nodeStanding(row.lastSeenAt, stats.draining, nowMs),
    version: row.version,
    registeredAt: row.registeredAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    stats,
    torrents: Object.fromEntries(own.map(({ state, torrents }) => [state, torrents])),
  };
}
