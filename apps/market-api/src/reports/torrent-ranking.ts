import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { limitOf, Prisma, PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { NameSearch } from '../torrents/named-torrents.js';
import { inPeriod } from './measure.repository.js';
import type { Period } from './period.js';

/** What torrents are ranked by; each has an index over all time. */
export const RANKINGS = ['revenue', 'collectable', 'buried', 'lost', 'channels'] as const;
export type Ranking = (typeof RANKINGS)[number];

export interface Ranked {
  readonly infoHash: string;
  readonly amount: bigint;
  readonly name: string | null;
  readonly pieceLength: number | null;
  readonly totalBytes: bigint | null;
  readonly createdAt: Date | null;
}

/** Where a page ended. */
export interface RankedAfter {
  readonly amount: bigint;
  readonly infoHash: string;
}

export interface RankingFilter {
  readonly search?: string | undefined;
  readonly label?: string | undefined;
  readonly tier?: string | undefined;
  readonly infoHash?: string | undefined;
}

const COLUMN: Readonly<Record<Ranking, Prisma.Sql>> = {
  revenue: Prisma.sql`e."revenueSat"`,
  collectable: Prisma.sql`e."collectableSat"`,
  buried: Prisma.sql`e."buriedSat"`,
  lost: Prisma.sql`e."lostSat"`,
  channels: Prisma.sql`e.channels`,
};
const EARNINGS = Prisma.sql`market.torrent_earning e`;
const REFRESH_MS = 10_000;
/** Roll-ups of an hour may still be written for a while after it. */
const LATE = Prisma.sql`interval '2 hours'`;
/** One instance refreshes at a time; any number that nothing else locks. */
const LOCK = 5_114_500;

/** The order of torrents by what they earned. */
@Injectable()
export class TorrentRanking implements OnModuleInit, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private whole = true;

  constructor(
    private readonly prisma: PrismaClient,
    private readonly names: NameSearch,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    const refresh = (): void => {
      this.running = this.refresh()
        .catch((failure: unknown) => this.logger.warn({ failure: String(failure) }, 'torrents not ranked anew'))
        .finally(() => {
          if (this.timer !== undefined) this.timer = setTimeout(refresh, REFRESH_MS).unref();
        });
    };
    this.timer = setTimeout(refresh, 0).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }

  /** Takes over what the roll-ups say now: of all torrents the first time, then of those that were posted to lately. */
  async refresh(): Promise<void> {
    const changed = this.whole
      ? Prisma.empty
      : Prisma.sql`AND r.key IN (
          SELECT h.key FROM channel.book_rollup h
          WHERE h.subject = 'torrent' AND h.period = 'hour' AND h.start >= now() - ${LATE})`;
    const sum = (measure: string) =>
      Prisma.sql`coalesce(sum(r.amount) FILTER (WHERE r.measure = ${measure}), 0)::bigint`;
    await this.prisma.$transaction(
      async (tx) => {
        const [lock] = await tx.$queryRaw<{ taken: boolean }[]>`SELECT pg_try_advisory_xact_lock(${LOCK}) AS taken`;
        if (lock?.taken !== true) return;
        await tx.$executeRaw`
          INSERT INTO market.torrent_earning AS e
            ("infoHash", "revenueSat", "collectableSat", "buriedSat", "lostSat", channels)
          SELECT r.key, -${sum('revenue')}, ${sum('collectable')}, ${sum('buried')}, ${sum('lost')}, ${sum('channels')}
          FROM channel.book_rollup r WHERE r.subject = 'torrent' AND r.period = 'all' ${changed}
          GROUP BY r.key ORDER BY r.key
          ON CONFLICT ("infoHash") DO UPDATE SET "revenueSat" = EXCLUDED."revenueSat",
            "collectableSat" = EXCLUDED."collectableSat", "buriedSat" = EXCLUDED."buriedSat",
            "lostSat" = EXCLUDED."lostSat", channels = EXCLUDED.channels
          WHERE (e."revenueSat", e."collectableSat", e."buriedSat", e."lostSat", e.channels) IS DISTINCT FROM
            (EXCLUDED."revenueSat", EXCLUDED."collectableSat", EXCLUDED."buriedSat", EXCLUDED."lostSat",
             EXCLUDED.channels)`;
        this.whole = false;
      },
      { timeout: 300_000 },
    );
  }

  /** Most first, after (amount, infohash), in a period: by adding up its days. */
  async page(
    by: Ranking,
    filter: RankingFilter,
    period: Period,
    after: RankedAfter | undefined,
    limit: number,
  ): Promise<Ranked[]> {
    const source = Prisma.sql`(
      SELECT r.key AS "infoHash", sum(CASE WHEN r.measure = 'revenue' THEN -r.amount ELSE r.amount END)::bigint
        AS amount
      FROM channel.book_rollup r WHERE r.subject = 'torrent' AND r.measure = ${by} AND ${inPeriod(period)}
      GROUP BY 1) e`;
    return this.prisma.$queryRaw<Ranked[]>(await this.ranked(source, Prisma.sql`e.amount`, filter, after, limit));
  }

  /** The statement of a page of all time, by the index. */
  ofAllTime(by: Ranking, filter: RankingFilter, after: RankedAfter | undefined, limit: number): Promise<Prisma.Sql> {
    return this.ranked(EARNINGS, COLUMN[by], filter, after, limit);
  }

  private async ranked(
    source: Prisma.Sql,
    amount: Prisma.Sql,
    { search, infoHash, label, tier }: RankingFilter,
    after: RankedAfter | undefined,
    limit: number,
  ): Promise<Prisma.Sql> {
    const { table, condition, few } = await this.names.torrents(search);
    // Of few torrents each one's earnings are looked up: Postgres takes them for more than they are and would read all earnings.
    const from =
      few && source === EARNINGS
        ? Prisma.sql`${table} CROSS JOIN LATERAL (SELECT * FROM ${EARNINGS} WHERE e."infoHash" = t."infoHash" OFFSET 0) e`
        : Prisma.sql`${source} LEFT JOIN ${table} ON t."infoHash" = e."infoHash"`;
    const conditions = [condition];
    if (infoHash !== undefined) conditions.push(Prisma.sql`e."infoHash" = ${infoHash}`);
    if (label !== undefined) conditions.push(Prisma.sql`t.labels @> ${[label]}::text[]`);
    if (tier !== undefined) conditions.push(Prisma.sql`t.tier = ${tier}`);
    // How rare a word or a label is decides for a plan; it must not be kept for others.
    const planned = search === undefined && label === undefined && tier === undefined;
    if (after !== undefined) {
      conditions.push(Prisma.sql`(${amount}, e."infoHash") < (${after.amount}, ${after.infoHash})`);
    }
    return Prisma.sql`
      SELECT e."infoHash", ${amount} AS amount, t.name, t."pieceLength", t."totalBytes", t."createdAt"
      FROM ${from}
      WHERE ${Prisma.join(conditions, ' AND ')}
      ORDER BY ${amount} DESC, e."infoHash" DESC LIMIT ${planned ? limitOf(limit) : Prisma.sql`${limit}`}`;
  }
}
