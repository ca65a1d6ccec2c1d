import { Prisma, type PrismaClient } from './client.js';

/** A message stored with the change it tells of. `subject` lies below the fleet's prefix. */
export interface OutboxMessage {
  readonly id: bigint;
  readonly subject: string;
  readonly payload: Prisma.JsonValue;
}

export type OutboxOwner = 'chain' | 'channel';

const BATCH = 200;

/**
 * Publishes what is unsent of an owner's outbox, in order, and marks it sent after `publish` resolved. Messages may
 * therefore arrive twice, never not at all; readers drop repeated versions. Returns how many were sent.
 * Rows are locked while they are relayed, so several relays don't reorder one another.
 */
export async function relayOutbox(
  prisma: PrismaClient,
  owner: OutboxOwner,
  publish: (message: OutboxMessage) => Promise<void>,
): Promise<number> {
  const table = Prisma.raw(`"${owner}"."outbox"`);
  return prisma.$transaction(
    async (tx) => {
      // One relay at a time keeps the order; a second one finds the lock taken and comes back later.
      const lock = await tx.$queryRaw<{ got: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(hashtext(${`outbox:${owner}`})) AS got`;
      if (lock[0]?.got !== true) return 0;
      const rows = await tx.$queryRaw<OutboxMessage[]>`
        SELECT id, subject, payload FROM ${table} WHERE "sentAt" IS NULL ORDER BY id LIMIT ${BATCH}`;
      for (const row of rows) await publish(row);
      if (rows.length > 0) {
        await tx.$executeRaw`
          UPDATE ${table} SET "sentAt" = now() WHERE id IN (${Prisma.join(rows.map((row) => row.id))})`;
      }
      return rows.length;
    },
    { timeout: 30_000, maxWait: 5_000 },
  );
}
