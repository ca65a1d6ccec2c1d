import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { NODE_SILENCE_MS } from '../nodes/liveness.js';

/** Something that happened in the fleet. */
export interface FleetEvent {
  readonly id: bigint;
  readonly kind: string;
  readonly subject: string;
  readonly data: Prisma.JsonValue;
  readonly at: Date;
}

/** Told of one source in one go; where there is more, the next go follows at once. */
export const BATCH = 500;
/**
 * Rows may become visible out of the order of their ids, when a transaction that took its id earlier ends later. So much
 * is looked at again for such late ones: far more than are written at once.
 */
const LOOK_BACK_ROWS = 2_000;
/** Older rows are not told any more: whoever wants the past reads the lists. Shorter than events are kept (7 days). */
const LOOK_BACK = Prisma.sql`interval '1 day'`;

/**
 * The fleet's events as one numbered log, gathered from the tables that are the truth: the stories of channels, the audit
 * log, alerts, nodes and the chain. Only one process gathers at a time, so numbers become visible in their order, and a reader
 * that goes on after the last number it saw misses nothing. Deliveries to webhooks are stored in the same transaction.
 */
@Injectable()
export class EventLog {
  constructor(private readonly prisma: PrismaClient) {}

  /** Tells what is new. Returns how many events; 0 also when another process is at it. */
  async gather(): Promise<number> {
    return this.prisma.$transaction(async (tx) => {
      const lock = await tx.$queryRaw<{ got: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(hashtext('market.event')) AS got`;
      if (lock[0]?.got !== true) return 0;
      const told: bigint[] = [];
      for (const source of [CHANNELS, WRITES, NODES, QUARANTINES, ALERTS, CHAIN]) {
        const rows = await tx.$queryRaw<{ id: bigint }[]>`
          INSERT INTO market.event (kind, subject, data, at, source, "sourceId") ${source} RETURNING id`;
        told.push(...rows.map(({ id }) => id));
      }
      if (told.length > 0)
        await tx.$executeRaw`
        INSERT INTO market.webhook_delivery ("webhookId", "eventId", kind, body, "nextAttemptAt")
        SELECT w.id, e.id, e.kind, ${BODY}, now()
        FROM market.event e JOIN market.webhook w ON w.state = 'active'
          AND (w.kinds = '{}' OR e.kind = ANY(w.kinds) OR split_part(e.kind, '.', 1) || '.*' = ANY(w.kinds))
        WHERE e.id = ANY(${told}) ORDER BY e.id`;
      return told.length;
    });
  }

  /** Events after `id`, oldest first. */
  after(id: bigint, limit: number): Promise<FleetEvent[]> {
    return this.prisma.fleetEvent.findMany({
      where: { id: { gt: id } },
      orderBy: { id: 'asc' },
      take: limit,
      select: { id: true, kind: true, subject: true, data: true, at: true },
    });
  }

  /** Events before `id`, newest first; of some kinds or families of them (`channel.*`), where any are given. */
  before(id: bigint | undefined, limit: number, kinds: readonly string[] = []): Promise<FleetEvent[]> {
    const families = kinds.filter((kind) => kind.endsWith('.*')).map((kind) => kind.slice(0, -1));
    const wanted = [{ kind: { in: [...kinds] } }, ...families.map((family) => ({ kind: { startsWith: family } }))];
    return this.prisma.fleetEvent.findMany({
      where: { ...(id === undefined ? {} : { id: { lt: id } }), ...(kinds.length === 0 ? {} : { OR: wanted }) },
      orderBy: { id: 'desc' },
      take: limit,
      select: { id: true, kind: true, subject: true, data: true, at: true },
    });
  }

  /** The oldest and the newest number in the log; 0 where it is empty. */
  async range(): Promise<{ first: bigint; last: bigint }> {
    const { _min, _max } = await this.prisma.fleetEvent.aggregate({ _min: { id: true }, _max: { id: true } });
    return { first: _min.id ?? 0n, last: _max.id ?? 0n };
  }

  /** Figures that move without an event, in one cheap question: whoever shows them looks again when they do. */
  async pulse(): Promise<{ payments: string; nodes: string }> {
    const rows = await this.prisma.$queryRaw<{ payments: string; nodes: string }[]>`
      SELECT coalesce((SELECT sum("committedSeq") FROM channel.payment_watermark), 0)::text AS payments,
             coalesce((SELECT max("lastSeenAt") FROM market.node)::text, '') AS nodes`;
    return rows[0] ?? { payments: '', nodes: '' };
  }
}

/** What a webhook is sent, byte for byte the same at each attempt. */
const BODY = Prisma.sql`
  jsonb_build_object('id', e.id::text, 'kind', e.kind, 'subject', e.subject, 'data', e.data,
                     'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text`;

/** Rows of a table with a counted id that have not been told, oldest first. */
const untold = (source: string, table: Prisma.Sql) => Prisma.sql`
  s.id > (SELECT coalesce((SELECT max("sourceId") FROM market.event WHERE source = ${source}),
                          (SELECT max(id) FROM ${table}), 0)) - ${LOOK_BACK_ROWS}
  AND s.at > now() - ${LOOK_BACK}
  AND NOT EXISTS (SELECT 1 FROM market.event m WHERE m.source = ${source} AND m."sourceId" = s.id)
  ORDER BY s.id LIMIT ${BATCH}`;

const CHANNELS = Prisma.sql`
  SELECT 'channel.' || s.state, s."channelId"::text, jsonb_build_object(
           'channelId', s."channelId", 'infoHash', c."infoHash", 'torrentName', t.name, 'nodeId', c."nodeId",
           'state', s.state, 'reason', s.reason, 'paidPieces', coalesce(c."settledK", c."frozenK", c.k)::int,
           'paidSat', (coalesce(c."settledK", c."frozenK", c.k) * c."priceSat")::text,
           'settlementTxid', coalesce(c."minedTxid", c."settlementTxid")),
         s.at, 'channel', s.id
  FROM channel.channel_event s
  JOIN channel.channel c ON c.id = s."channelId"
  LEFT JOIN market.torrent t ON t."infoHash" = c."infoHash"
  WHERE ${untold('channel', Prisma.sql`channel.channel_event`)}`;

const WRITES = Prisma.sql`
  SELECT s.action, s.target, s.data || jsonb_build_object('actor', s.actor), s.at, 'audit', s.id
  FROM market.audit_entry s
  WHERE ${untold('audit', Prisma.sql`market.audit_entry`)}`;

const ALERTS = Prisma.sql`
  SELECT s.kind, s.code, s.data, s.at, 'alert', s.id FROM market.alert_change s
  WHERE ${untold('alert', Prisma.sql`market.alert_change`)}`;

/** Milliseconds now: numbers the events of things that have no counted id. */
const NOW_MS = Prisma.sql`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

const NODES = Prisma.sql`
  SELECT 'node.' || now_.standing, n.id,
         jsonb_build_object('nodeId', n.id, 'peerAddress', n."peerAddress", 'lastSeenAt', n."lastSeenAt"),
         now(), 'node:' || n.id, ${NOW_MS}
  FROM market.node n
  CROSS JOIN LATERAL (SELECT CASE
    WHEN n."lastSeenAt" <= now() - ${NODE_SILENCE_MS} * interval '1 millisecond' THEN 'silent'
    WHEN coalesce((n.stats->>'draining')::boolean, false) THEN 'draining' ELSE 'up' END AS standing) now_
  LEFT JOIN LATERAL (
    SELECT m.kind FROM market.event m WHERE m.source = 'node:' || n.id ORDER BY m."sourceId" DESC LIMIT 1
  ) last ON true
  WHERE last.kind IS DISTINCT FROM 'node.' || now_.standing ORDER BY n.id LIMIT ${BATCH}`;

const QUARANTINES = Prisma.sql`
  SELECT 'node.quarantined', q."nodeId", jsonb_build_object('nodeId', q."nodeId", 'reason', q.reason),
         q.at, 'quarantine:' || q."nodeId", (extract(epoch FROM q.at) * 1000)::bigint
  FROM channel.quarantined_node q
  WHERE NOT EXISTS (SELECT 1 FROM market.event m WHERE m.source = 'quarantine:' || q."nodeId"
                      AND m."sourceId" = (extract(epoch FROM q.at) * 1000)::bigint) LIMIT ${BATCH}`;

const CHAIN = Prisma.sql`
  SELECT 'chain.block', b.hash, jsonb_build_object('height', b.height, 'hash', b.hash), now(), 'chain', ${NOW_MS}
  FROM (SELECT height, hash FROM chain.block ORDER BY height DESC LIMIT 1) b
  LEFT JOIN LATERAL (
    SELECT m.subject FROM market.event m WHERE m.source = 'chain' ORDER BY m."sourceId" DESC LIMIT 1
  ) last ON true
  WHERE last.subject IS DISTINCT FROM b.hash`;
