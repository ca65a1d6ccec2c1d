import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { Problem } from '../http/problem.js';

export interface TierRow {
  readonly name: string;
  readonly multiplierPerMille: number;
  readonly description: string;
  readonly torrents: number;
  readonly updatedAt: Date;
}

/** More kinds of copies than anybody tells apart. */
const MAX_TIERS = 100;

/** Quality tiers. */
@Injectable()
export class TierRepository {
  constructor(private readonly prisma: PrismaClient) {}

  list(): Promise<TierRow[]> {
    return this.prisma.$queryRaw<TierRow[]>`
      SELECT q.name, q."multiplierPerMille", q.description, q."updatedAt",
             (SELECT count(*)::int FROM market.torrent t WHERE t.tier = q.name AND t.state <> 'removed') AS torrents
      FROM market.tier q ORDER BY q."multiplierPerMille", q.name`;
  }

  async exists(name: string): Promise<boolean> {
    return (await this.prisma.qualityTier.findUnique({ where: { name } })) !== null;
  }

  /** Throws `too-many`. */
  async set(name: string, multiplierPerMille: number, description: string, actor: string): Promise<TierRow> {
    const known = await this.exists(name);
    if (!known && (await this.prisma.qualityTier.count()) >= MAX_TIERS) {
      throw new Problem(422, 'too-many', `there are ${MAX_TIERS} tiers already`);
    }
    const data = { multiplierPerMille, description, updatedAt: new Date() };
    await this.prisma.$transaction([
      this.prisma.qualityTier.upsert({ where: { name }, create: { name, ...data }, update: data }),
      this.prisma.auditEntry.create({
        data: auditRow({ actor, action: 'tier.set', target: name, data: { multiplierPerMille, description } }),
      }),
    ]);
    const row = (await this.list()).find((tier) => tier.name === name);
    if (row === undefined) throw new Error(`tier ${name} vanished`);
    return row;
  }

  async remove(name: string, actor: string): Promise<'removed' | 'unknown' | 'in-use'> {
    return this.prisma.$transaction(async (tx) => {
      const removed = await tx.$executeRaw`
        DELETE FROM market.tier q WHERE q.name = ${name}
          AND NOT EXISTS (SELECT FROM market.torrent t WHERE t.tier = q.name)`;
      if (removed === 1) {
        await tx.auditEntry.create({ data: auditRow({ actor, action: 'tier.remove', target: name }) });
        return 'removed';
      }
      return (await tx.qualityTier.findUnique({ where: { name } })) === null ? 'unknown' : 'in-use';
    });
  }
}
