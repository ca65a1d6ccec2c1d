import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';

/** What the books hold of the fleet, a torrent or a node; satoshi. The meanings are those of @seedfleet/books. */
export interface Earnings {
  readonly channels: number;
  readonly pieces: bigint;
  readonly revenueSat: bigint;
  readonly accruedSat: bigint;
  readonly collectableSat: bigint;
  readonly settlementFeeReservedSat: bigint;
  readonly broadcastSat: bigint;
  readonly confirmedSat: bigint;
  readonly buriedSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly uncollectableSat: bigint;
  readonly lostSat: bigint;
}

export interface EarningsAt extends Earnings {
  readonly start: Date;
}

export interface TorrentEarnings extends Earnings {
  readonly infoHash: string;
  readonly name: string | null;
}

/** What earners are ordered by. */
export const EARNER_SORTS = ['revenue', 'collected', 'collectable', 'sales', 'lost'] as const;
export type EarnerSort = (typeof EARNER_SORTS)[number];

/** Revenue is booked as a credit: the lowest amount is the highest revenue. */
const MEASURES: Readonly<Record<EarnerSort, { measure: string; descending: boolean }>> = {
  revenue: { measure: 'revenue', descending: false },
  collected: { measure: 'buried', descending: true },
  collectable: { measure: 'collectable', descending: true },
  sales: { measure: 'channels', descending: true },
  lost: { measure: 'lost', descending: true },
};

export interface EarnerCursor {
  readonly amount: string;
  readonly infoHash: string;
}

const figures = Prisma.sql`
  channels, pieces, "revenueSat", "accruedSat", "collectableSat", "settlementFeeReservedSat", "broadcastSat",
  "confirmedSat", "buriedSat", "settlementFeeSat", "uncollectableSat", "lostSat"`;

/** Reads the roll-ups of the books, exact at any moment. */
@Injectable()
export class EarningsRepository {
  constructor(private readonly prisma: PrismaClient) {}

  async total(): Promise<Earnings | undefined> {
    const rows = await this.prisma.$queryRaw<Earnings[]>`SELECT ${figures} FROM channel.revenue_total`;
    return rows[0];
  }

  /** By hour or day since `since`, oldest first; periods without a posting are left out. */
  series(period: 'hour' | 'day', since: Date, infoHash: string | undefined): Promise<EarningsAt[]> {
    const [view, column] =
      period === 'hour'
        ? [Prisma.sql`_hour`, Prisma.sql`hour`]
        : [Prisma.sql`_day`, Prisma.sql`(day::timestamp AT TIME ZONE 'UTC')`];
    const [table, condition] =
      infoHash === undefined
        ? [Prisma.sql`channel.revenue_by${view}`, Prisma.empty]
        : [Prisma.sql`channel.revenue_by_torrent${view}`, Prisma.sql`AND "infoHash" = ${infoHash}`];
    return this.prisma.$queryRaw<EarningsAt[]>`
      SELECT ${column} AS start, ${figures} FROM ${table}
      WHERE ${column} >= ${since} ${condition} ORDER BY 1`;
  }

  /** The torrents that lead in `sort`, one more than `limit` when there are more. */
  leaders(
    sort: EarnerSort,
    search: string | undefined,
    after: EarnerCursor | undefined,
    limit: number,
  ): Promise<{ infoHash: string; amount: bigint; name: string | null }[]> {
    const { measure, descending } = MEASURES[sort];
    const conditions = [Prisma.sql`r.subject = 'torrent' AND r.period = 'all' AND r.measure = ${measure}`];
    if (search !== undefined) {
      const pattern = `%${search.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
      conditions.push(Prisma.sql`(lower(t.name) LIKE ${pattern} OR r.key LIKE ${pattern.slice(1)})`);
    }
    if (after !== undefined) {
      const than = descending ? Prisma.sql`<` : Prisma.sql`>`;
      conditions.push(Prisma.sql`(r.amount, r.key) ${than} (${after.amount}::bigint, ${after.infoHash})`);
    }
    const direction = descending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
    return this.prisma.$queryRaw`
      SELECT r.key AS "infoHash", r.amount, t.name
      FROM channel.book_rollup r LEFT JOIN market.torrent t ON t."infoHash" = r.key
      WHERE ${Prisma.join(conditions, ' AND ')}
      ORDER BY r.amount ${direction}, r.key ${direction} LIMIT ${limit + 1}`;
  }

  async ofTorrents(infoHashes: readonly string[]): Promise<Map<string, Earnings>> {
    const rows = await this.prisma.$queryRaw<TorrentEarnings[]>`
      SELECT "infoHash", ${figures} FROM channel.revenue_by_torrent WHERE "infoHash" = ANY(${[...infoHashes]})`;
    return new Map(rows.map(({ infoHash, ...earnings }) => [infoHash, earnings]));
  }

  /** Revenue per day of each torrent since `since`. */
  async daysOfTorrents(infoHashes: readonly string[], since: Date): Promise<Map<string, Map<string, bigint>>> {
    const rows = await this.prisma.$queryRaw<{ infoHash: string; day: string; revenueSat: bigint }[]>`
      SELECT "infoHash", day::text AS day, "revenueSat" FROM channel.revenue_by_torrent_day
      WHERE "infoHash" = ANY(${[...infoHashes]}) AND day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date`;
    const grouped = new Map<string, Map<string, bigint>>();
    for (const { infoHash, day, revenueSat } of rows) {
      const days = grouped.get(infoHash) ?? new Map<string, bigint>();
      grouped.set(infoHash, days.set(day, revenueSat));
    }
    return grouped;
  }
}
