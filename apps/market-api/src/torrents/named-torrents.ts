import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { ExpiringCache } from '../http/expiring-cache.js';
import { nameQuery } from './name-search.js';

/** Torrents with searched words up to which all are found by their words and then put in order. */
const FEW = 2_000;
const KNOWN_MS = 10_000;
const MAX_KNOWN = 1_000;

/** Where a statement finds its torrents `t`. */
export interface NamedTorrents {
  readonly table: Prisma.Sql;
  readonly condition: Prisma.Sql;
  /** Whether they are few, to be found first and then put in order. */
  readonly few: boolean;
}

/**
 * How to look for words in names. Postgres can't tell how many names begin a word so, and either way is slow where the
 * other is fast: walking along an order for words that hardly any name holds, sorting what holds them where many do.
 */
@Injectable()
export class NameSearch {
  private readonly rare = new ExpiringCache<boolean>(KNOWN_MS, MAX_KNOWN);

  constructor(private readonly prisma: PrismaClient) {}

  /** All torrents where no words are given. */
  async torrents(search: string | undefined): Promise<NamedTorrents> {
    const all = Prisma.sql`market.torrent t`;
    if (search === undefined) return { table: all, condition: Prisma.sql`true`, few: false };
    const query = nameQuery(search);
    if (!(await this.rare.get(query, Date.now(), () => this.isRare(query)))) {
      return { table: all, condition: Prisma.sql`t.words @@ to_tsquery('simple', ${query})`, few: false };
    }
    // The offset keeps Postgres from walking along an order all the same.
    const few = Prisma.sql`(SELECT * FROM market.torrent w WHERE w.words @@ to_tsquery('simple', ${query}) OFFSET 0) t`;
    return { table: few, condition: Prisma.sql`t."infoHash" IS NOT NULL`, few: true };
  }

  private async isRare(query: string): Promise<boolean> {
    const [row] = await this.prisma.$queryRaw<{ found: number }[]>`
      SELECT count(*)::int AS found FROM (
        SELECT FROM market.torrent t WHERE t.words @@ to_tsquery('simple', ${query}) LIMIT ${FEW + 1}) AS counted`;
    return (row?.found ?? 0) <= FEW;
  }
}
