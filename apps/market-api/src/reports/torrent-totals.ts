import { Injectable } from '@nestjs/common';
import { Prisma, Statements } from '@seedfleet/persistence';
import { MEASURES_OF, type Measures } from './figures.js';
import { measuresOf } from './measure.repository.js';
import { keptSeconds } from './served.repository.js';
import { firstDay, revenueByDay, type TorrentFigureRow } from './torrent-figures.js';
import type { Ranked } from './torrent-ranking.js';

/** The measures that figures are made of, each a column of `channel.book_torrent`. */
const MEASURES = Object.values(MEASURES_OF).flat();
const COLUMNS = Prisma.raw(MEASURES.map((measure) => `b."${measure}"`).join(', '));

export type RankedTotal = Ranked & TorrentFigureRow;

type Row = Ranked &
  Readonly<Record<(typeof MEASURES)[number], bigint | null>> & {
    /** What waits to be rolled up, by measure; null where nothing does. */
    readonly waiting: Readonly<Record<string, string>> | null;
    readonly kept: string | null;
    readonly byDay: Readonly<Record<string, string>> | null;
  };

/** What is wanted beside the figures. */
export interface TotalsWanted {
  readonly sparkDays: number;
  /** Whether it matters how long copies were kept. */
  readonly kept: boolean;
}

/**
 * A page of torrents with their figures over all time, in one statement: in it a row of each torrent's sums and what waits to be
 * rolled up are of one moment, so the figures are exact.
 */
@Injectable()
export class TorrentTotals {
  constructor(private readonly statements: Statements) {}

  /** @param ranked the statement of the page's torrents, in their order */
  async page(ranked: Prisma.Sql, { sparkDays, kept }: TotalsWanted): Promise<RankedTotal[]> {
    const rows = await this.statements.rows<Row>(Prisma.sql`
      WITH page AS MATERIALIZED (${ranked}), waiting AS (
        SELECT key, jsonb_object_agg(measure, amount) AS amounts FROM (
          SELECT key, measure, sum(amount)::bigint::text AS amount FROM channel.book_unrolled_measure
          WHERE subject = 'torrent' AND period = 'all' AND key = ANY(ARRAY(SELECT "infoHash" FROM page))
            AND EXISTS (SELECT FROM channel.book_unrolled)
          GROUP BY 1, 2
        ) sums GROUP BY 1
      )
      SELECT p.*, ${COLUMNS}, w.amounts AS waiting, ${kept ? KEPT : NOT_WANTED} AS kept,
        ${sparkDays > 0 ? byDay(firstDay(sparkDays)) : NOT_WANTED} AS "byDay"
      FROM page p LEFT JOIN channel.book_torrent b ON b."infoHash" = p."infoHash" LEFT JOIN waiting w ON w.key = p."infoHash"
      ORDER BY p.amount DESC, p."infoHash" DESC`);
    return rows.map((row) => ({
      ...rankedOf(row),
      measures: measuresIn(row),
      keptByteSeconds: BigInt(row.kept ?? 0),
      revenueByDay: revenueByDay(row.byDay, sparkDays),
    }));
  }
}

const NOT_WANTED = Prisma.sql`NULL::text`;

/** Σ bytes × copies × seconds. */
const KEPT = Prisma.sql`(p."totalBytes"::numeric * ${keptSeconds(undefined, Prisma.sql`p."createdAt"`)} * (
  SELECT count(*) FROM market.seeding s
  WHERE s."infoHash" = p."infoHash" AND s.state IN ('on-sale', 'paused', 'verifying')))::text`;

const byDay = (first: Date): Prisma.Sql => Prisma.sql`(
  SELECT json_object_agg(round(extract(epoch FROM r.start - ${first}::timestamptz) / 86400)::int, (-r.amount)::text)
  FROM channel.book_rollup r
  WHERE r.subject = 'torrent' AND r.period = 'day' AND r.measure = 'revenue' AND r.key = p."infoHash"
    AND r.start >= ${first}::timestamptz)`;

function rankedOf({ infoHash, amount, name, pieceLength, totalBytes, createdAt }: Row): Ranked {
  return { infoHash, amount, name, pieceLength, totalBytes, createdAt };
}

function measuresIn(row: Row): Measures {
  const sums = new Map<string, bigint>(MEASURES.map((measure) => [measure, row[measure] ?? 0n]));
  if (row.waiting === null) return sums;
  for (const [measure, amount] of measuresOf(row.waiting)) sums.set(measure, (sums.get(measure) ?? 0n) + amount);
  return sums;
}
