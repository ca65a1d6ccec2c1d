import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { figuresOf } from '../reports/figures.js';
import { FLEET, MeasureRepository } from '../reports/measure.repository.js';
import type { Revenue } from './revenue.views.js';

/** In these a settlement may still come to nothing; there are few of them at a time. */
const IN_TROUBLE = ['funding-missing', 'settle-rejected', 'refund-seen'];

/** Revenue over all time from the books' roll-ups, which cost the same whether ten channels are behind them or millions. */
@Injectable()
export class RevenueRepository {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly measures: MeasureRepository,
  ) {}

  /** Torrents that ever earned something, by infohash. */
  keys(after: string | undefined, limit: number): Promise<string[]> {
    return this.measures.keys('torrent', after ?? '', limit);
  }

  /** In the order asked for. */
  async of(infoHashes: readonly string[]): Promise<(Revenue & { infoHash: string; name: string | null })[]> {
    const [sums, trouble, names] = await Promise.all([
      this.measures.sums('torrent', infoHashes, undefined),
      this.atRisk(Prisma.sql`AND "infoHash" = ANY(${[...infoHashes]})`),
      this.prisma.torrent.findMany({
        where: { infoHash: { in: [...infoHashes] } },
        select: { infoHash: true, name: true },
      }),
    ]);
    const named = new Map(names.map(({ infoHash, name }) => [infoHash, name]));
    const risks = new Map(trouble.map(({ infoHash, grossSat }) => [infoHash, grossSat]));
    return infoHashes.map((infoHash) => ({
      infoHash,
      name: named.get(infoHash) ?? null,
      figures: figuresOf(sums.get(infoHash)),
      atRiskSat: risks.get(infoHash) ?? 0n,
    }));
  }

  async total(): Promise<Revenue> {
    const [sums, trouble] = await Promise.all([
      this.measures.sums('fleet', [FLEET], undefined),
      this.atRisk(Prisma.empty),
    ]);
    const atRiskSat = trouble.reduce((sum, { grossSat }) => sum + grossSat, 0n);
    return { figures: figuresOf(sums.get(FLEET)), atRiskSat };
  }

  private atRisk(condition: Prisma.Sql): Promise<{ infoHash: string; grossSat: bigint }[]> {
    return this.prisma.$queryRaw`
      SELECT "infoHash", sum(coalesce("settledK", "frozenK", k) * "priceSat")::bigint AS "grossSat" FROM channel.channel
      WHERE state = ANY(${IN_TROUBLE}) ${condition} GROUP BY 1`;
  }
}
