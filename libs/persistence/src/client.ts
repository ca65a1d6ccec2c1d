import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.js';

export { Prisma, PrismaClient } from './generated/client.js';
export type * from './generated/models.js';

/** How long a query may wait for one of the pool's connections before it fails. */
const CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_POOL_SIZE = 10;

export interface PrismaClientOptions {
  /**
   * Whether connections keep statements prepared: for a service that answers many questions of few kinds, of which Postgres
   * would otherwise plan each anew. Not through a pooler that hands connections on between statements.
   */
  readonly prepared?: boolean;
}

/**
 * A Prisma client on a bounded pool.
 * @param databaseUrl postgres://user:password@host:port/database
 */
export function createPrismaClient(
  databaseUrl: string,
  poolSize = DEFAULT_POOL_SIZE,
  { prepared = false }: PrismaClientOptions = {},
): PrismaClient {
  const pool = { connectionString: databaseUrl, max: poolSize, connectionTimeoutMillis: CONNECT_TIMEOUT_MS };
  return new PrismaClient({
    adapter: new PrismaPg(pool, prepared ? { statementNameGenerator: statementNames() } : {}),
  });
}

/** Statements that each connection keeps prepared. */
const MAX_PREPARED = 400;

/** Names for the first texts that come; later ones stay nameless, since nothing ever makes a connection forget one. */
export function statementNames(): (query: { readonly sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (names.size >= MAX_PREPARED) return '';
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}
