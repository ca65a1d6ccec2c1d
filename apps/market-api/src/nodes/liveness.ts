import { Prisma } from '@seedfleet/persistence';

/** A node that was not heard of for this long does not count: three of its heartbeats, which come every 5 s. */
export const NODE_SILENCE_MS = 15_000;

export type NodeStanding =
  /** Heard of, and open to buyers. */
  | 'up'
  /** Heard of, finishing its channels before it stops. */
  | 'draining'
  /** Not heard of for `NODE_SILENCE_MS`. */
  | 'silent';

export function nodeStanding(lastSeenAt: Date, draining: boolean, nowMs: number): NodeStanding {
  if (nowMs - lastSeenAt.getTime() > NODE_SILENCE_MS) return 'silent';
  return draining ? 'draining' : 'up';
}

/** A row of `market.seeding s` whose node `n` sells the torrent to new buyers now. */
export const SELLS_NOW = Prisma.sql`s.state = 'on-sale'
  AND n."lastSeenAt" > now() - ${NODE_SILENCE_MS} * interval '1 millisecond'
  AND coalesce((n.stats->>'draining')::boolean, false) = false`;
