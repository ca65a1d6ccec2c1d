import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { connectionParts } from './connection-parts.js';

const rolesPath = fileURLToPath(new URL('../../../prisma/roles.sql', import.meta.url));

/** Passwords of the services' own Postgres roles. */
export type RolePasswords = Readonly<Record<'chain' | 'channel' | 'market', string>>;

const SERVICES = ['chain', 'channel', 'market'] as const;

/**
 * market-api's pages read a few dozen rows through indexes. Parallel workers would take the processors of other requests, and cost more
 * to start than such a page; and of a database that is in use most pages are in memory.
 */
const MARKET_SETTINGS = ['max_parallel_workers_per_gather = 0', 'random_page_cost = 1.1', 'jit = off'];

const roleName = (database: string, service: string): string => `${database}_${service}`;

function grantsFor(client: pg.Client, database: string): string {
  return readFileSync(rolesPath, 'utf8').replace(/:"(chain|channel|market)"/g, (_, service: string) =>
    client.escapeIdentifier(roleName(database, service)),
  );
}

/** Gives the services' roles their rights again, where the server has those roles. Returns whether it has. */
export async function grantRoles(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { database } = connectionParts(databaseUrl);
    const names = SERVICES.map((service) => roleName(database, service));
    const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = ANY($1)', [names]);
    if (known.rowCount !== names.length) return false;
    await client.query(grantsFor(client, database));
    return true;
  } finally {
    await client.end();
  }
}

/**
 * Gives each service its own role, which may write its own schema and read what it reports on (`prisma/roles.sql`).
 * Role names carry the database's name, so that fleets sharing a server don't share roles. Returns one URL per service,
 * or null where the connecting user may not create roles.
 */
export async function deployRoles(databaseUrl: string, passwords: RolePasswords): Promise<RolePasswords | null> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const may = await client.query<{ may: boolean }>(
      'SELECT rolcreaterole OR rolsuper AS may FROM pg_roles WHERE rolname = current_user',
    );
    if (may.rows[0]?.may !== true) return null;
    const database = connectionParts(databaseUrl).database;
    const role = (service: string) => roleName(database, service);
    for (const service of SERVICES) {
      const name = client.escapeIdentifier(role(service));
      const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role(service)]);
      const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
      await client.query(`${verb} ROLE ${name} LOGIN PASSWORD ${client.escapeLiteral(passwords[service])}`);
    }
    await client.query(grantsFor(client, database));
    const market = client.escapeIdentifier(role('market'));
    for (const setting of MARKET_SETTINGS) await client.query(`ALTER ROLE ${market} SET ${setting}`);
    const urlFor = (service: 'chain' | 'channel' | 'market') => {
      const url = new URL(databaseUrl);
      url.username = encodeURIComponent(role(service));
      url.password = encodeURIComponent(passwords[service]);
      return url.href;
    };
    return { chain: urlFor('chain'), channel: urlFor('channel'), market: urlFor('market') };
  } finally {
    await client.end();
  }
}
