import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { Served } from './costs.js';
import { inPeriod } from './measure.repository.js';
import type { Period } from './period.js';

/**
 * What serving took: bytes sold, which are pieces paid times the piece length, and how long copies were kept. Only the
 * copies of now are known, so disk is counted as if they had been there since the torrent was added.
 */
@Injectable()
export class ServedRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Of all torrents, or of those with a label, added up. */
  async total(label: string | undefined, period: Period | undefined): Promise<Served> {
    const labelled = label === undefined ? Prisma.empty : Prisma.sql`AND t.labels @> ${[label]}::text[]`;
    const [sold] = await this.prisma.$queryRaw<{ bytes: string }[]>`
      SELECT coalesce(sum(r.amount::numeric * t."pieceLength"), 0)::text AS bytes
      FROM channel.book_rollup r JOIN market.torrent t ON t."infoHash" = r.key ${labelled}
      WHERE r.subject = 'torrent' AND r.measure = 'pieces' AND ${inPeriod(period)}`;
    const [kept] = await this.prisma.$queryRaw<{ amount: string }[]>`
      SELECT coalesce(sum(t."totalBytes"::numeric * c.copies * ${keptSeconds(period)}), 0)::text AS amount
      FROM (
        SELECT s."infoHash", count(*) AS copies FROM market.seeding s
        WHERE s.state IN ('on-sale', 'paused', 'verifying') GROUP BY 1
      ) c JOIN market.torrent t ON t."infoHash" = c."infoHash" ${labelled}`;
    return { soldBytes: BigInt(sold?.bytes ?? 0), keptByteSeconds: BigInt(kept?.amount ?? 0) };
  }
}

/** Σ bytes × copies × seconds, as `amount`, of the torrents named by these keys. */
export function keptOf(keys: Prisma.Sql, period: Period | undefined): Prisma.Sql {
  return Prisma.sql`
    SELECT t."infoHash" AS key, (t."totalBytes"::numeric * c.copies * ${keptSeconds(period)})::text AS amount
    FROM market.torrent t CROSS JOIN LATERAL (
      SELECT count(*) AS copies FROM market.seeding s
      WHERE s."infoHash" = t."infoHash" AND s.state IN ('on-sale', 'paused', 'verifying')
    ) c
    WHERE t."infoHash" = ANY(${keys})`;
}

/** Whole seconds of the period that a torrent has been there. */
export function keptSeconds(period: Period | undefined, since = Prisma.sql`t."createdAt"`): Prisma.Sql {
  const from = period?.from ?? new Date(0);
  const end = period?.end ?? new Date(8_640_000_000_000);
  return Prisma.sql`floor(greatest(0, extract(epoch FROM
    least(now(), ${end}::timestamptz) - greatest(${since}, ${from}::timestamptz))))::numeric`;
}
