import { Injectable } from '@nestjs/common';
import { DUST_SAT } from '@seedfleet/payment-channel';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { ChannelGroup } from './revenue.js';

export interface TorrentChannelGroup extends ChannelGroup {
  readonly infoHash: string;
  readonly torrentName: string | null;
}

/** Sums channels by torrent and state; k frozen for settlement counts before the running one, which it equals. */
@Injectable()
export class RevenueRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** The groups of up to `limit` torrents that ever had a channel, ordered by infohash, after `after`. */
  groups(infoHash: string | undefined, after: string | undefined, limit: number): Promise<TorrentChannelGroup[]> {
    const wanted =
      infoHash === undefined
        ? // A loose index scan: one step of the index per torrent, not one per channel.
          Prisma.sql`
            WITH RECURSIVE wanted("infoHash", place) AS (
              (SELECT "infoHash", 1 FROM channel.channel WHERE "infoHash" > ${after ?? ''} ORDER BY 1 LIMIT 1)
              UNION ALL
              SELECT next."infoHash", wanted.place + 1
              FROM wanted CROSS JOIN LATERAL (
                SELECT "infoHash" FROM channel.channel c
                WHERE c."infoHash" > wanted."infoHash" ORDER BY 1 LIMIT 1
              ) next
              WHERE wanted.place < ${limit}
            )`
        : Prisma.sql`WITH wanted("infoHash") AS (VALUES (${infoHash}))`;
    return this.prisma.$queryRaw<TorrentChannelGroup[]>`
      ${wanted}
      SELECT w."infoHash", t.name AS "torrentName", s.state, s.collectable, s.sales, s.pieces, s."grossSat",
             s."settlementFeesSat"
      FROM wanted w
      LEFT JOIN market.torrent t ON t."infoHash" = w."infoHash"
      CROSS JOIN LATERAL (
        SELECT c.state, x.collectable, count(*) FILTER (WHERE x.k > 0)::int AS sales, sum(x.k)::bigint AS pieces,
               sum(x.gross)::bigint AS "grossSat", sum(c."settlementFeeSat")::bigint AS "settlementFeesSat"
        FROM channel.channel c
        CROSS JOIN LATERAL (
          SELECT coalesce(c."frozenK", c.k) AS k, coalesce(c."frozenK", c.k) * c."priceSat" AS gross,
                 coalesce(c."frozenK", c.k) * c."priceSat" > ${DUST_SAT} + c."settlementFeeSat" AS collectable
        ) x
        WHERE c."infoHash" = w."infoHash"
        GROUP BY 1, 2
      ) s
      ORDER BY 1, 3, 4`;
  }

  /** The same groups over all torrents. */
  totals(): Promise<ChannelGroup[]> {
    return this.prisma.$queryRaw<ChannelGroup[]>`
      SELECT c.state, x.collectable, count(*) FILTER (WHERE x.k > 0)::int AS sales, sum(x.k)::bigint AS pieces,
             sum(x.gross)::bigint AS "grossSat", sum(c."settlementFeeSat")::bigint AS "settlementFeesSat"
      FROM channel.channel c
      CROSS JOIN LATERAL (
        SELECT coalesce(c."frozenK", c.k) AS k, coalesce(c."frozenK", c.k) * c."priceSat" AS gross,
               coalesce(c."frozenK", c.k) * c."priceSat" > ${DUST_SAT} + c."settlementFeeSat" AS collectable
      ) x
      GROUP BY 1, 2`;
  }
}
