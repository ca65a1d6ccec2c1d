import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { NODE_SILENCE_MS } from '../nodes/liveness.js';

/** Something that needs an operator, as the database tells it. */
export interface TroubleRow {
  readonly code: TroubleCode;
  /** The one thing concerned; null where there are several. */
  readonly subject: string | null;
  readonly count: number;
  readonly since: Date | null;
  readonly detail: string;
}

export type TroubleCode =
  /** Channels whose settlement the network refuses. */
  | 'settlements-refused'
  /** Channels whose buyer is taking the deposit back although there were payments. */
  | 'refunds-seen'
  /** Channels whose funding is gone from the chain. */
  | 'fundings-missing'
  /** Channels lost in the last week. */
  | 'channels-lost'
  /** Channels past their deadline that are not being settled. */
  | 'deadlines-passed'
  /** Channels at which nobody has looked although it was time. */
  | 'channels-overdue'
  /** A node whose payments were false. */
  | 'node-quarantined'
  /** A node that is not heard of. */
  | 'node-silent'
  /** Torrents that a node can't sell because of their content. */
  | 'content-troubled'
  /** Payments that failed verification in the last day. */
  | 'payments-parked'
  /** Deliveries to a webhook given up in the last day. */
  | 'webhook-failing'
  /** Books, channels and chain do not agree. */
  | 'books-differ';

/** Counted no further: the exact number of so many tells nobody more. */
const COUNT_LIMIT = 10_000;
const CHANNEL_TROUBLE = {
  'settle-rejected': 'settlements-refused',
  'refund-seen': 'refunds-seen',
  'funding-missing': 'fundings-missing',
  lost: 'channels-lost',
} as const;
/** Everything that is due is looked at within seconds; so much later, nobody does. */
const OVERDUE_S = 120;
/** A node that has been silent for so long was taken down for good. */
const FORGOTTEN_NODE_S = 7 * 86_400;
/** As the settler does: news of what was mined may be on its way. */
const RECONCILE_GRACE_S = 300;

@Injectable()
export class AlertRepository {
  constructor(private readonly prisma: PrismaClient) {}

  async channels(): Promise<TroubleRow[]> {
    const rows = await this.prisma.$queryRaw<{ state: keyof typeof CHANNEL_TROUBLE; count: number; since: Date }[]>`
      SELECT state, count(*)::int AS count, min("stateEnteredAt") AS since FROM (
        (SELECT state, "stateEnteredAt" FROM channel.channel
         WHERE state IN ('settle-rejected', 'refund-seen', 'funding-missing') LIMIT ${COUNT_LIMIT})
        UNION ALL
        (SELECT state, "stateEnteredAt" FROM channel.channel
         WHERE state = 'lost' AND "stateEnteredAt" > now() - interval '7 days' LIMIT ${COUNT_LIMIT})) c
      GROUP BY state`;
    return rows.map(({ state, count, since }) => ({
      code: CHANNEL_TROUBLE[state],
      subject: state,
      count,
      since,
      detail: '',
    }));
  }

  deadlines(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'deadlines-passed' AS code, NULL AS subject, count(*)::int AS count,
             to_timestamp(min("deadlineMtp")) AS since, '' AS detail
      FROM (SELECT "deadlineMtp" FROM channel.channel
            WHERE state IN ('funding-seen', 'funded') AND "deadlineMtp" <= (
              SELECT "medianTimePast" FROM chain.block ORDER BY height DESC LIMIT 1) LIMIT ${COUNT_LIMIT}) c
      HAVING count(*) > 0`;
  }

  overdue(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'channels-overdue' AS code, NULL AS subject, count(*)::int AS count, min("nextActionAt") AS since, '' AS detail
      FROM (SELECT "nextActionAt" FROM channel.channel
            WHERE "nextActionAt" < now() - ${OVERDUE_S} * interval '1 second' LIMIT ${COUNT_LIMIT}) c
      HAVING count(*) > 0`;
  }

  nodes(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'node-quarantined' AS code, "nodeId" AS subject, 1 AS count, at AS since, reason AS detail
      FROM channel.quarantined_node
      UNION ALL
      SELECT 'node-silent', id, 1, "lastSeenAt", "peerAddress" FROM market.node
      WHERE "lastSeenAt" <= now() - ${NODE_SILENCE_MS} * interval '1 millisecond'
        AND "lastSeenAt" > now() - ${FORGOTTEN_NODE_S} * interval '1 second'
      ORDER BY 1, 2 LIMIT 200`;
  }

  content(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'content-troubled' AS code, s.state AS subject, count(DISTINCT s."infoHash")::int AS count,
             min(s."updatedAt") AS since, min(t.name) AS detail
      FROM (SELECT state, "infoHash", "updatedAt" FROM market.seeding
            WHERE state IN ('missing', 'corrupt', 'failed') LIMIT ${COUNT_LIMIT}) s
      JOIN market.torrent t ON t."infoHash" = s."infoHash" AND t.state = 'active'
      GROUP BY s.state`;
  }

  payments(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'payments-parked' AS code, "nodeId" AS subject, count(*)::int AS count, min(at) AS since,
             string_agg(DISTINCT code, ', ') AS detail
      FROM (SELECT "nodeId", at, code FROM channel.parked_payment
            WHERE at > now() - interval '1 day' LIMIT ${COUNT_LIMIT}) p
      GROUP BY "nodeId" LIMIT 100`;
  }

  webhooks(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'webhook-failing' AS code, w.id AS subject, count(*)::int AS count, min(d."createdAt") AS since, w.url AS detail
      FROM market.webhook_delivery d JOIN market.webhook w ON w.id = d."webhookId"
      WHERE d.state = 'given-up' AND d."createdAt" > now() - interval '1 day' AND w.state = 'active'
      GROUP BY w.id, w.url`;
  }

  /** By the running balances; recounting all entries, which takes long, is channel-service's, and pages by its own metric. */
  books(): Promise<TroubleRow[]> {
    return this.prisma.$queryRaw<TroubleRow[]>`
      SELECT 'books-differ' AS code, NULL AS subject, count(*)::int AS count, NULL AS since,
             string_agg(DISTINCT code, ', ') AS detail
      FROM (SELECT code FROM channel.reconcile_running(make_interval(secs => ${RECONCILE_GRACE_S}::float8)) LIMIT 1000) r
      HAVING count(*) > 0`;
  }
}
