import type { PrismaClient } from '@seedfleet/persistence';
import type { Database } from '../channels/database.js';
import type { Destination } from '../keys/destination.js';

/** An address of the operator's own wallet that a sweep goes to. */
export interface ColdAddress {
  /** Null where the wallet is one address. */
  readonly index: number | null;
  readonly address: string;
}

/**
 * The next address: one that was set aside for a sweep that never came to be, else the first that never was. So failures open
 * no gap in the wallet's addresses. Null where the account has no more.
 */
export async function nextColdAddress(database: Database, destination: Destination): Promise<ColdAddress | null> {
  const { id, firstIndex } = destination;
  if (firstIndex === null) return at(destination, null);
  const rows = await database.$queryRaw<{ free: number | null; last: number | null }[]>`
    SELECT min("index") FILTER (WHERE "txid" IS NULL AND "index" >= ${firstIndex})::int AS "free", max("index")::int AS "last"
    FROM "channel"."treasury_address" WHERE "wallet" = ${id}`;
  const { free = null, last = null } = rows[0] ?? {};
  return at(destination, free ?? Math.max(firstIndex, (last ?? -1) + 1));
}

/** Sets the next address aside before anything is signed for it. */
export async function reserveColdAddress(database: Database, destination: Destination): Promise<ColdAddress | null> {
  const next = await nextColdAddress(database, destination);
  if (next === null || next.index === null) return next;
  await database.$executeRaw`
    INSERT INTO "channel"."treasury_address" ("wallet", "index", "address")
    VALUES (${destination.id}, ${next.index}, ${next.address}) ON CONFLICT DO NOTHING`;
  return next;
}

/**
 * Notes which wallet earnings go to from now on. Returns the label of the one before where it was another, and null else.
 * Whoever changes it changes the configuration of the settler; this is how the others learn of it.
 */
export async function noteDestination(prisma: PrismaClient, destination: Destination | null): Promise<string | null> {
  const { id, label } = destination ?? { id: '', label: '' };
  const [last] = await prisma.treasuryDestination.findMany({ orderBy: { id: 'desc' }, take: 1 });
  if (last?.wallet === id || (last === undefined && destination === null)) return null;
  await prisma.treasuryDestination.create({ data: { wallet: id, label } });
  return last === undefined ? null : last.label;
}

function at(destination: Destination, index: number | null): ColdAddress | null {
  const address = destination.address(index);
  return address === undefined ? null : { index, address };
}
