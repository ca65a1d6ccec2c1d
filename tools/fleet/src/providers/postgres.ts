import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { FleetError, reasonOf } from '../errors.js';
import { pickPort } from '../free-port.js';
import { plainEnvironment, runCommand } from '../run-command.js';
import type { PostgresConnection } from './connections.js';
import { findProgram } from './find-program.js';
import { clusterMajor, dropStaleLock, ensureCluster, SUPERUSER } from './postgres-data.js';
import type { Binaries, Probe, ProviderContext, ServerProvider } from './provider.js';
import { unprivilegedOwner } from './server-owner.js';
import { startOnFreePorts } from './start-server.js';

const OLDEST_MAJOR = 13;
const PROBE_MS = 3000;
/** Debian keeps the servers of all major versions here, and off the PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';
const BROUGHT_MAJOR = 17;

/** Postgres: the truth. Connections that this provider hands out name the server's maintenance database. */
export const postgresProvider: ServerProvider<PostgresConnection> = {
  name: 'postgres',
  title: 'Postgres',
  variable: 'DATABASE_URL',

  fromEnvironment: ({ env }) => (env['DATABASE_URL'] ? { url: env['DATABASE_URL'] } : undefined),

  probe: ({ url }) => probe(url),

  findBinaries: (context) => findBinaries(context),

  packageFor({ state }) {
    const major = state.known.postgresMajor ?? BROUGHT_MAJOR;
    const binaryFolder = `usr/lib/postgresql/${major}/bin`;
    return { suite: 'trixie', name: `postgresql-${major}`, binaryFolder, binaries: ['initdb', 'postgres'] };
  },

  refusal: () => undefined,

  start: (binaries, context) => start(binaries, context),
};

/** The fleet's own database on a server, created when missing. Databases of others are never touched. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: PROBE_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0)
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)} ENCODING 'UTF8' TEMPLATE template0`);
  } catch (thrown) {
    throw new FleetError(
      'database-failed',
      `the database ${name} could not be created`,
      reasonOf(thrown),
      'give the user of DATABASE_URL the right to create databases (ALTER ROLE … CREATEDB)',
    );
  } finally {
    await client.end().catch(() => undefined);
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function probe(url: string): Promise<Probe> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PROBE_MS, query_timeout: PROBE_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const version = rows[0]?.server_version ?? '';
    if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
      return { ok: false, code: 'unsuitable', why: `it is version ${version}; ${OLDEST_MAJOR} or newer is needed` };
    }
    return { ok: true, detail: `PostgreSQL ${version}` };
  } catch (thrown) {
    return { ok: false, code: 'unreachable', why: reasonOf(thrown) };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The newest suitable version, or the one that created this fleet's data: another can't read them. */
async function findBinaries({ env, state }: ProviderContext): Promise<Binaries | undefined> {
  const data = state.known.postgresData;
  const needed = data !== undefined && existsSync(join(data, 'PG_VERSION')) ? clusterMajor(data) : undefined;
  const installed = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...installed.map((major) => join(DEBIAN_FOLDER, major, 'bin')),
    findProgram('postgres', env['PATH']),
  ];
  for (const folder of folders) {
    if (folder === undefined || !existsSync(join(folder, 'initdb')) || !existsSync(join(folder, 'postgres'))) continue;
    const { output } = await runCommand(join(folder, 'postgres'), ['--version'], { timeoutMs: 5000 });
    const version = /PostgreSQL\) (\d+)\S*/.exec(output);
    const major = Number(version?.[1]);
    if (needed === undefined ? major >= OLDEST_MAJOR : major === needed) {
      return { folder, detail: `PostgreSQL ${version?.[0].slice('PostgreSQL) '.length)}, ${folder}` };
    }
  }
  return undefined;
}

async function start(binaries: Binaries, { state, supervisor }: ProviderContext): Promise<PostgresConnection> {
  const owner = unprivilegedOwner();
  const data = await ensureCluster(binaries.folder, state, owner, supervisor);
  dropStaleLock(data);
  return startOnFreePorts('Postgres', supervisor.logOf('postgres'), async () => {
    const port = await pickPort();
    const connection = { url: `postgresql://${SUPERUSER}:${state.known.secrets.postgres}@127.0.0.1:${port}/postgres` };
    const settings = [
      ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'jit=off'],
      // Taken as it is used: the tables and indexes of a fleet of some size, read without the system's help.
      'shared_buffers=512MB',
    ];
    const outcome = await supervisor.start({
      name: 'postgres',
      command: join(binaries.folder, 'postgres'),
      args: ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      env: plainEnvironment(),
      cwd: '/',
      owner,
      // "Fast": ends the sessions and writes everything out.
      stopSignal: 'SIGINT',
      graceMs: 15_000,
      tier: 0,
      isReady: async () => (await probe(connection.url)).ok,
      readyTimeoutMs: 60_000,
    });
    return { outcome, connection };
  });
}
