import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { Measures } from './figures.js';
import { bookedRows, measuresOf } from './measure.repository.js';
import type { Period } from './period.js';
import { keptOf } from './served.repository.js';

const DAY_MS = 24 * 3_600_000;

/** What a report says of a torrent besides its name. */
export interface TorrentFigureRow {
  readonly measures: Measures;
  /** Σ bytes × copies × seconds. */
  readonly keptByteSeconds: bigint;
  /** Revenue of each of the last days, oldest first. */
  readonly revenueByDay: readonly string[];
}

interface Row {
  readonly key: string;
  readonly amounts: Readonly<Record<string, string>> | null;
  readonly kept: string | null;
  readonly byDay: Readonly<Record<string, string>> | null;
}

/** The first of the last days up to today, UTC. */
export function firstDay(days: number): Date {
  return new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - (days - 1) * DAY_MS);
}

/** Amounts by the number of their day, as Postgres gives them, as a list of all days. */
export function revenueByDay(byDay: Readonly<Record<string, string>> | null, days: number): readonly string[] {
  return Array.from({ length: days }, (_, day) => byDay?.[day] ?? '0');
}

/**
 * The figures of a page of torrents in a period, in one statement and a row each: they agree, and one question is asked for
 * all. Those of all time are read with the page itself.
 */
@Injectable()
export class TorrentFigures {
  constructor(private readonly prisma: PrismaClient) {}

  async of(infoHashes: readonly string[], period: Period, sparkDays: number): Promise<Map<string, TorrentFigureRow>> {
    if (infoHashes.length === 0) return new Map();
    const keys = Prisma.sql`${[...infoHashes]}::text[]`;
    const first = firstDay(sparkDays);
    const days =
      sparkDays === 0
        ? Prisma.sql`SELECT NULL::text AS key, NULL::jsonb AS "byDay" WHERE false`
        : Prisma.sql`
          SELECT key, jsonb_object_agg(
            round(extract(epoch FROM start - ${first}::timestamptz) / 86400)::int, (-amount)::text) AS "byDay"
          FROM channel.book_rollup
          WHERE subject = 'torrent' AND period = 'day' AND key = ANY(${keys}) AND measure = 'revenue'
            AND start >= ${first}::timestamptz GROUP BY 1`;
    const rows = await this.prisma.$queryRaw<Row[]>`
      WITH summed AS (
        SELECT key, jsonb_object_agg(measure, amount) AS amounts FROM (
          SELECT key, measure, sum(amount)::bigint::text AS amount
          FROM (${bookedRows('torrent', keys, period)}) part GROUP BY 1, 2
        ) sums GROUP BY 1
      ), kept AS (${keptOf(keys, period)}), days AS (${days})
      SELECT w.key, summed.amounts, kept.amount AS kept, days."byDay"
      FROM unnest(${keys}) AS w(key) LEFT JOIN summed ON summed.key = w.key LEFT JOIN kept ON kept.key = w.key
      LEFT JOIN days ON days.key = w.key`;
    return new Map(
      rows.map(({ key, amounts, kept, byDay }) => [
        key,
        {
          measures: measuresOf(amounts ?? {}),
          keptByteSeconds: BigInt(kept ?? 0),
          revenueByDay: revenueByDay(byDay, sparkDays),
        },
      ]),
    );
  }
}
