import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/client.js';
import { Statements } from './statements.js';

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

/** A Prisma client, and the same connections for statements that are asked very often. */
export interface Database {
  readonly prisma: PrismaClient;
  /** Ends with the client. */
  readonly statements: Statements;
}

/**
 * A Prisma client on a bounded pool.
 * @param databaseUrl postgres://user:password@host:port/database
 */
export function createPrismaClient(
  databaseUrl: string,
  poolSize = DEFAULT_POOL_SIZE,
  options: PrismaClientOptions = {},
): PrismaClient {
  return createDatabase(databaseUrl, poolSize, options).prisma;
}

/** As `createPrismaClient`, with its connections for `Statements`. */
export function createDatabase(
  databaseUrl: string,
  poolSize = DEFAULT_POOL_SIZE,
  { prepared = false }: PrismaClientOptions = {},
): Database {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // A connection that ends while nobody uses it is replaced by the next that is needed.
  pool.on('error', () => undefined);
  const nameOf = prepared ? statementNames() : undefined;
  const adapter = new PrismaPg(pool, {
    disposeExternalPool: true,
    ...(nameOf === undefined ? {} : { statementNameGenerator: nameOf }),
  });
  return { prisma: new PrismaClient({ adapter }), statements: new Statements(pool, nameOf ?? (() => '')) };
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
