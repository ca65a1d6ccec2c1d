import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { ExpiringCache } from '../http/expiring-cache.js';

/** Counting reads all torrents, so it may be a little old. */
const AGE_MS = 15_000;
/** More labels than anybody looks through; the most used are kept. */
const MAX_LABELS = 5_000;

/** The labels that torrents have. */
@Injectable()
export class LabelRepository {
  private readonly cache = new ExpiringCache<Map<string, number>>(AGE_MS, 1);

  constructor(private readonly prisma: PrismaClient) {}

  /** How many torrents have each label; removed ones don't count, but their labels do. */
  counts(): Promise<Map<string, number>> {
    return this.cache.get('all', Date.now(), async () => {
      const rows = await this.prisma.$queryRaw<{ label: string; torrents: number }[]>`
        SELECT l.label, count(*) FILTER (WHERE t.state <> 'removed')::int AS torrents
        FROM market.torrent t CROSS JOIN LATERAL unnest(t.labels) AS l(label)
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MAX_LABELS}`;
      return new Map(rows.map(({ label, torrents }) => [label, torrents]));
    });
  }
}
