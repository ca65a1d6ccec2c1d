import { loadJsonRows } from '@seedfleet/fleet';
import pg from 'pg';

/**
 * A backup as a dump of the data makes it: every row of the services' tables at one moment, loaded over whatever is
 * there. The same as `pg_dump --data-only` and its load, without needing the client programs.
 */
export interface Backup {
  /** By table: its rows as one JSON array. Text, because numbers here exceed what JavaScript keeps exactly. */
  readonly rows: ReadonlyMap<string, string>;
}

const SCHEMAS = ['chain', 'channel', 'market'];
const LOCK_ATTEMPTS = 20;
/** Running services hold some of the tables in other orders. */
const DEADLOCK_DETECTED = '40P01';

/** Reads everything in one consistent snapshot, beside running services. */
export async function takeBackup(url: string): Promise<Backup> {
  return withClient(url, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const rows = new Map<string, string>();
    for (const table of await tables(client)) {
      const answer = await client.query<{ rows: string }>(
        `SELECT coalesce(json_agg(t), '[]')::text AS "rows" FROM ${table} t`,
      );
      rows.set(table, answer.rows[0]?.rows ?? '[]');
    }
    await client.query('COMMIT');
    return { rows };
  });
}

/**
 * Loads a backup in one transaction. `beforeCommit` runs when nobody else can reach the data any more; afterwards
 * everybody else's sessions are ended, so that nothing of the time before the restore is still on its way.
 */
export async function loadBackup(url: string, backup: Backup, beforeCommit: () => Promise<void>): Promise<void> {
  await withClient(url, async (client) => {
    const names = [...backup.rows.keys()];
    // Rows that refer to others come before them, and books are append-only for everybody but a restore.
    await client.query('SET session_replication_role = replica');
    await emptied(client, names);
    for (const [table, rows] of backup.rows) {
      await loadJsonRows(client, table, rows);
    }
    await beforeCommit();
    await endOtherSessions(client);
    await client.query('COMMIT');
  });
}

/** Begins a transaction in which the tables are empty and out of everybody's reach. */
async function emptied(client: pg.Client, names: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await client.query('BEGIN');
    try {
      await endOtherSessions(client);
      await client.query(`TRUNCATE ${names.join(', ')} CASCADE`);
      return;
    } catch (thrown) {
      await client.query('ROLLBACK');
      if (attempt === LOCK_ATTEMPTS || (thrown as { code?: unknown }).code !== DEADLOCK_DETECTED) throw thrown;
    }
  }
}

async function endOtherSessions(client: pg.Client): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

/** Quoted names of the services' tables. */
async function tables(client: pg.Client): Promise<string[]> {
  const answer = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS "name" FROM information_schema.tables
     WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY 1`,
    [SCHEMAS],
  );
  return answer.rows.map(({ name }) => name);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
