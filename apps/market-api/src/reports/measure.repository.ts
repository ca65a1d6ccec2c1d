import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { Measures } from './figures.js';
import type { Period } from './period.js';

export type Subject = 'fleet' | 'torrent' | 'node' | 'buyer';

interface Sum {
  readonly key: string;
  readonly measure: string;
  readonly amount: bigint;
}

/** The key of the fleet's own sums. */
export const FLEET = '';

/**
 * Sums of the books' roll-ups, which channel-service keeps, and of postings that wait to be rolled up: exact at any moment.
 * All time is one row per measure; a period adds up its days.
 */
@Injectable()
export class MeasureRepository {
  constructor(private readonly prisma: PrismaClient) {}

  async sums(subject: Subject, keys: readonly string[], period: Period | undefined): Promise<Map<string, Measures>> {
    if (keys.length === 0) return new Map();
    const rows = await this.prisma.$queryRaw<{ key: string; amounts: Readonly<Record<string, string>> }[]>`
      SELECT key, jsonb_object_agg(measure, amount) AS amounts FROM (
        SELECT key, measure, sum(amount)::bigint::text AS amount
        FROM (${bookedRows(subject, Prisma.sql`${[...keys]}::text[]`, period)}) part GROUP BY 1, 2
      ) sums GROUP BY 1`;
    return new Map(rows.map(({ key, amounts }) => [key, measuresOf(amounts)]));
  }

  /** Per day, keyed by the day as 2026-01-31, from the newest back; `before` is a day. */
  async days(subject: Subject, key: string, period: Period | undefined, before: string | undefined, limit: number) {
    const own = Prisma.sql`subject = ${subject} AND period = 'day' AND key = ${key}
      AND ${inPeriod(period ?? { from: undefined, end: undefined })}
      AND start < ${before ?? '9999-01-01'}::timestamptz`;
    const rows = await this.prisma.$queryRaw<Sum[]>`
      WITH part AS (
        SELECT start, measure, amount FROM channel.book_rollup WHERE ${own}
        UNION ALL
        SELECT start, measure, amount FROM channel.book_unrolled_measure WHERE ${own}
      ), shown AS (SELECT DISTINCT start FROM part ORDER BY start DESC LIMIT ${limit})
      SELECT to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS key, measure, sum(amount)::bigint AS amount
      FROM part WHERE start IN (SELECT start FROM shown) GROUP BY 1, 2`;
    return [...grouped(rows)].sort(([a], [b]) => (a < b ? 1 : -1));
  }

  /** Keys of a subject that have books, in order, after one; found by steps of the index, not by reading all rows. */
  async keys(subject: Subject, after: string, limit: number): Promise<string[]> {
    const rows = await this.prisma.$queryRaw<{ key: string }[]>`
      WITH RECURSIVE wanted(key, place) AS (
        (SELECT key, 1 FROM channel.book_rollup
         WHERE subject = ${subject} AND period = 'all' AND key > ${after} ORDER BY key LIMIT 1)
        UNION ALL
        SELECT next.key, wanted.place + 1 FROM wanted CROSS JOIN LATERAL (
          SELECT key FROM channel.book_rollup
          WHERE subject = ${subject} AND period = 'all' AND key > wanted.key ORDER BY key LIMIT 1) next
        WHERE wanted.place < ${limit}
      ) SELECT key FROM wanted`;
    return rows.map(({ key }) => key);
  }

  /** Sums over the torrents of each label. */
  async labels(period: Period | undefined): Promise<Map<string, Measures>> {
    return grouped(
      await this.prisma.$queryRaw<Sum[]>`
        SELECT l.label AS key, p.measure, sum(p.amount)::bigint AS amount
        FROM market.torrent t CROSS JOIN LATERAL unnest(t.labels) AS l(label)
        JOIN (
          SELECT key, measure, amount FROM channel.book_rollup WHERE subject = 'torrent' AND ${inPeriod(period)}
          UNION ALL
          SELECT key, measure, amount FROM channel.book_unrolled_measure
          WHERE subject = 'torrent' AND ${inPeriod(period)}
        ) p ON p.key = t."infoHash"
        GROUP BY 1, 2`,
    );
  }
}

/**
 * What is booked under some keys: rolled up, and what waits for it. Where nothing waits, which Postgres finds out first, it
 * does not look for it.
 */
export function bookedRows(subject: Subject, keys: Prisma.Sql, period: Period | undefined): Prisma.Sql {
  const wanted = Prisma.sql`subject = ${subject} AND key = ANY(${keys}) AND ${inPeriod(period)}`;
  return Prisma.sql`
    SELECT key, measure, amount FROM channel.book_rollup WHERE ${wanted}
    UNION ALL
    SELECT key, measure, amount FROM channel.book_unrolled_measure
    WHERE ${wanted} AND EXISTS (SELECT FROM channel.book_unrolled)`;
}

/** Amounts by measure as Postgres gives them in JSON: as texts, since numbers there lose digits. */
export function measuresOf(amounts: Readonly<Record<string, string>>): Measures {
  return new Map(Object.entries(amounts).map(([measure, amount]) => [measure, BigInt(amount)]));
}

/** Rows of roll-ups in a period: its days, or the one row over all time. */
export function inPeriod(period: Period | undefined): Prisma.Sql {
  if (period === undefined) return Prisma.sql`period = 'all'`;
  const from = period.from === undefined ? Prisma.empty : Prisma.sql`AND start >= ${period.from}`;
  const end = period.end === undefined ? Prisma.empty : Prisma.sql`AND start < ${period.end}`;
  return Prisma.sql`period = 'day' ${from} ${end}`;
}

function grouped(rows: readonly Sum[]): Map<string, Map<string, bigint>> {
  const byKey = new Map<string, Map<string, bigint>>();
  for (const { key, measure, amount } of rows) {
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, new Map([[measure, amount]]));
    else known.set(measure, amount);
  }
  return byKey;
}
