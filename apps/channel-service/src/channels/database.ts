import type { PrismaClient } from '@seedfleet/persistence';

/** What statements need: a client, or the transaction of one. */
export type Database = Pick<PrismaClient, '$queryRaw' | '$executeRaw'>;

const UNIQUE_VIOLATION = '23505';

/** Whether a raw statement failed on a unique index (Postgres error 23505). */
export function isUniqueViolation(failure: unknown): boolean {
  if (typeof failure !== 'object' || failure === null) return false;
  const { meta } = failure as { meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } } };
  return meta?.driverAdapterError?.cause?.originalCode === UNIQUE_VIOLATION;
}
