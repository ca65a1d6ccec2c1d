/** Tells failures of reaching Postgres from faults of ours. */

/** Prisma's own codes: not reachable, timed out, too slow, closed, and no connection free in time. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037']);
/** What the driver adapter says inside the error of a raw query, whose own code tells nothing. */
const ADAPTER_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections']);
/** The driver's codes and words where neither of the two wraps them. */
const DRIVER_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  // Postgres ends or begins (57P01 to 57P03), or has no connection left.
  ...['57P01', '57P02', '57P03', '53300'],
]);
const DRIVER_WORDS = /connection terminated|timeout exceeded when trying to connect|ECONNREFUSED|ECONNRESET/i;

interface Wrapped {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly meta?: { readonly driverAdapterError?: { readonly cause?: { readonly kind?: unknown } } };
}

/** Whether the database could not be reached or gave no connection in time: the request may be repeated. */
export function isDatabaseAway(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false;
  const { code, message, meta } = thrown as Wrapped;
  if (typeof code === 'string' && (PRISMA_CODES.has(code) || DRIVER_CODES.has(code))) return true;
  const kind = meta?.driverAdapterError?.cause?.kind;
  if (typeof kind === 'string') return ADAPTER_KINDS.has(kind);
  return typeof message === 'string' && DRIVER_WORDS.test(message);
}
