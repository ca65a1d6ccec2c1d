import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { contentTag, requireTag } from '../http/content-tag.js';
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

  async find(name: string): Promise<TierRow | undefined> {
    return (await this.list()).find((tier) => tier.name === name);
  }

  /** Throws `too-many`, `precondition-failed`. */
  async set(
    name: string,
    multiplierPerMille: number,
    description: string | undefined,
    actor: string,
    tags?: readonly string[],
  ): Promise<TierRow> {
    await this.prisma.$transaction(async (tx) => {
      await lockTiers(tx);
      const known = await tx.qualityTier.findUnique({ where: { name } });
      const kept = { multiplierPerMille, description: description ?? known?.description ?? '' };
      const data = { ...kept, updatedAt: new Date() };
      requireTag(tags, tierTag(known));
      if (known === null && (await tx.qualityTier.count()) >= MAX_TIERS) {
        throw new Problem(422, 'too-many', `there are ${MAX_TIERS} tiers already`);
      }
      await tx.qualityTier.upsert({ where: { name }, create: { name, ...data }, update: data });
      await tx.auditEntry.create({
        data: auditRow({ actor, action: 'tier.set', target: name, data: kept }),
      });
    });
    const row = await this.find(name);
    if (row === undefined) throw new Error(`tier ${name} vanished`);
    return row;
  }

  /** Throws `precondition-failed`. */
  async remove(name: string, actor: string, tags?: readonly string[]): Promise<'removed' | 'unknown' | 'in-use'> {
    return this.prisma.$transaction(async (tx) => {
      await lockTiers(tx);
      const known = await tx.qualityTier.findUnique({ where: { name } });
      if (known === null) return 'unknown';
      requireTag(tags, tierTag(known));
      const removed = await tx.$executeRaw`
        DELETE FROM market.tier q WHERE q.name = ${name}
          AND NOT EXISTS (SELECT FROM market.torrent t WHERE t.tier = q.name)`;
      if (removed === 1) {
        await tx.auditEntry.create({ data: auditRow({ actor, action: 'tier.remove', target: name }) });
        return 'removed';
      }
      return 'in-use';
    });
  }
}

/** Of what operators set of a tier, not of the torrents that have it; null where there is none. */
export function tierTag(tier: Pick<TierRow, 'multiplierPerMille' | 'description'> | null): string {
  return contentTag(tier && { multiplierPerMille: tier.multiplierPerMille, description: tier.description });
}

/** Tiers are few and seldom changed: one at a time. */
async function lockTiers(tx: Prisma.TransactionClient): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('market.tier'))`;
}
