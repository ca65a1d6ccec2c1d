import type { Database } from '../channels/database.js';

/** The seed that the newest epoch belongs to; null before the first start. */
export async function knownSeedId(database: Database): Promise<string | null> {
  const rows = await database.$queryRaw<{ seedId: string }[]>`
    SELECT "seedId" FROM "channel"."key_epoch" ORDER BY "epoch" DESC LIMIT 1`;
  return rows[0]?.seedId ?? null;
}

/**
 * Begins the first epoch. Where another settler was quicker with another seed, that one counts. Returns the id of the
 * seed that the newest epoch belongs to.
 */
export async function beginFirstEpoch(database: Database, seedId: string): Promise<string | null> {
  await database.$executeRaw`
    INSERT INTO "channel"."key_epoch" ("epoch", "seedId", "reason")
    SELECT 1, ${seedId}, 'first-start' WHERE NOT EXISTS (SELECT 1 FROM "channel"."key_epoch")
    ON CONFLICT ("epoch") DO NOTHING`;
  return knownSeedId(database);
}
