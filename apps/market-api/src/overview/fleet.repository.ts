import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';

/** Odds and ends of the overview that have no home of their own. */
@Injectable()
export class FleetRepository {
  constructor(private readonly prisma: PrismaClient) {}

  async torrentCounts(): Promise<Record<'active' | 'paused' | 'removed', number>> {
    const rows = await this.prisma.torrent.groupBy({ by: ['state'], _count: true });
    const count = (state: string) => rows.find((row) => row.state === state)?._count ?? 0;
    return { active: count('active'), paused: count('paused'), removed: count('removed') };
  }

  /** The best block that chain-watcher has worked off; null before the first. */
  tip(): Promise<{ height: number; hash: string; medianTimePast: number } | null> {
    return this.prisma.chainBlock.findFirst({
      orderBy: { height: 'desc' },
      select: { height: true, hash: true, medianTimePast: true },
    });
  }
}
