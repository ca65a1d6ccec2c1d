import type { Prisma } from '@seedfleet/persistence';
import { Problem } from '../http/problem.js';

/** Key of the advisory lock that orders takedowns and what puts torrents on sale: neither may overlook the other. */
const TAKEDOWN_LOCK = 7_342_002;

/** Held to the transaction's end by what takes down: every torrent that goes on sale was either seen by it or sees it. */
export async function lockForTakedown(tx: Prisma.TransactionClient): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${TAKEDOWN_LOCK})`;
}

/**
 * Call first in a transaction that puts a torrent on sale. `fileHashes` undefined: those stored of a known torrent.
 * @throws Problem taken-down
 */
export async function refuseTakenDown(
  tx: Prisma.TransactionClient,
  infoHash: string,
  fileHashes?: readonly string[],
): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock_shared(${TAKEDOWN_LOCK})`;
  const known =
    fileHashes === undefined
      ? await tx.$queryRaw<{ hashes: string[] }[]>`
          SELECT coalesce("fileHashes", '{}') AS hashes FROM market.torrent WHERE "infoHash" = ${infoHash}`
      : [{ hashes: [...fileHashes] }];
  const hashes = [infoHash, ...(known[0]?.hashes ?? [])];
  const [held] = await tx.$queryRaw<{ hash: string; at: Date }[]>`
    SELECT hash, at FROM market.takedown WHERE "liftedAt" IS NULL AND hash = ANY(${hashes}::text[]) ORDER BY id LIMIT 1`;
  if (held === undefined) return;
  const since = held.at.toISOString();
  throw new Problem(409, 'taken-down', `${held.hash} was taken down at ${since}`, { hash: held.hash, since });
}
