import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { deployMigrations } from './index.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** What a database needs to have a table that the next migration must wait for. */
const FIRST = ['20261122150000_init'];
const SECOND = '20261122170000_books';

let url: string;
let holder: pg.Client;

beforeEach(async () => {
  const name = `migrate_${randomUUID().slice(0, 8)}`;
  const database = new URL(inject('postgresUrl'));
  const admin = new pg.Client({ connectionString: database.href });
  await admin.connect();
  await admin.query(`CREATE DATABASE "${name}"`);
  await admin.end();
  database.pathname = `/${name}`;
  url = database.href;
  expect(await deployMigrations(url, FIRST)).toEqual(FIRST);
  holder = new pg.Client({ connectionString: url });
  await holder.connect();
});

afterEach(() => holder.end());

/** Kills a process amid the second migration, while the server works on it. Returns the server's process. */
async function killAmid(): Promise<number> {
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE "channel"."channel" IN ACCESS EXCLUSIVE MODE');
  const code = `import('@seedfleet/persistence').then(({ deployMigrations }) => deployMigrations(process.argv[1], ['${SECOND}']))`;
  const child: ChildProcess = spawn(process.execPath, ['-e', code, url], { cwd: root, stdio: 'inherit' });
  const waiting = async (): Promise<number> => {
    // The statistics of a transaction stand still otherwise.
    await holder.query('SELECT pg_stat_clear_snapshot()');
    const { rows } = await holder.query<{ pid: number }>(
      `SELECT "pid" FROM "pg_stat_activity" WHERE "datname" = current_database() AND "wait_event_type" = 'Lock'`,
    );
    return rows[0]?.pid ?? 0;
  };
  await expect.poll(waiting, { timeout: 60_000 }).toBeGreaterThan(0);
  const backend = await waiting();
  child.kill('SIGKILL');
  await once(child, 'exit');
  return backend;
}

const noted = async (): Promise<unknown[]> => {
  const { rows } = await holder.query<{ finished: boolean; undone: boolean }>(
    `SELECT "finished_at" IS NOT NULL AS finished, "rolled_back_at" IS NOT NULL AS undone FROM "_prisma_migrations"
     WHERE "migration_name" = $1 ORDER BY "started_at"`,
    [SECOND],
  );
  return rows;
};

describe('a migration whose sender is killed', () => {
  it('is waited for, and is noted where the server finishes it', async () => {
    await killAmid();
    const next = deployMigrations(url);
    await holder.query('COMMIT');
    expect(await next).not.toContain(SECOND);
    expect(await noted()).toEqual([{ finished: true, undone: false }]);
    expect(await deployMigrations(url)).toEqual([]);
  });

  it('is tried again where the server did not finish it', async () => {
    const backend = await killAmid();
    await holder.query('SELECT pg_terminate_backend($1)', [backend]);
    await holder.query('COMMIT');
    expect(await deployMigrations(url)).toContain(SECOND);
    expect(await noted()).toEqual([
      { finished: false, undone: true },
      { finished: true, undone: false },
    ]);
  });
});

it('is applied once where several start at the same time', async () => {
  const applied = await Promise.all([deployMigrations(url), deployMigrations(url)]);
  expect(applied.flat().filter((name) => name === SECOND)).toEqual([SECOND]);
});
