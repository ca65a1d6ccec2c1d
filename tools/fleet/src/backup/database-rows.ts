import pg from 'pg';
import { loadJsonRows } from './load-rows.js';

/* The services' tables as lines of JSON, one per row, out of one snapshot and into empty tables. Needs no pg_dump. */

const SCHEMAS = ['chain', 'channel', 'market'];
const ROWS_PER_FETCH = 2_000;
const ROWS_PER_INSERT = 500;

/** One applied migration. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

/** A table, as `schema.name`. */
export interface TableOfRows {
  readonly table: string;
  readonly rows: AsyncIterable<string>;
}

/** What a database holds at one moment. */
export interface DatabaseSnapshot {
  readonly migrations: readonly AppliedMigration[];
  readonly tables: readonly string[];
  /** Last value by sequence, as `schema.name`. */
  readonly sequences: Readonly<Record<string, string>>;
  /** A query in the snapshot. */
  query<R extends pg.QueryResultRow>(text: string): Promise<R[]>;
  rowsOf(table: string): AsyncGenerator<string>;
}

/** Reads everything at one moment, beside running services. */
export async function inSnapshot<T>(url: string, work: (snapshot: DatabaseSnapshot) => Promise<T>): Promise<T> {
  return withClient(url, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const query = async <R extends pg.QueryResultRow>(text: string) => (await client.query<R>(text)).rows;
    const migrations = await query<{ name: string; checksum: string }>(
      `SELECT migration_name AS "name", checksum FROM _prisma_migrations
       WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1`,
    );
    const tables = await tableNames(client);
    const rowsOf = async function* (table: string): AsyncGenerator<string> {
      await client.query(
        `DECLARE part NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS "row" FROM ${quoted(table)} t`,
      );
      for (;;) {
        const rows = await query<{ row: string }>(`FETCH ${ROWS_PER_FETCH} FROM part`);
        for (const { row } of rows) yield row;
        if (rows.length < ROWS_PER_FETCH) break;
      }
      await client.query('CLOSE part');
    };
    // Sequences are of no snapshot: read now, they are never behind it.
    const sequences = await query<{ name: string; value: string }>(
      `SELECT schemaname || '.' || sequencename AS "name", last_value::text AS "value" FROM pg_sequences
       WHERE schemaname IN (${SCHEMAS.map((name) => `'${name}'`).join()}) AND last_value IS NOT NULL`,
    );
    const found = Object.fromEntries(sequences.map(({ name, value }) => [name, value]));
    return work({ migrations, tables, sequences: found, query, rowsOf });
  });
}

/** Whether the services have any table in the database. */
export async function hasTables(url: string): Promise<boolean> {
  return withClient(url, async (client) => (await tableNames(client)).length > 0);
}

/**
 * Fills migrated, empty tables, in one transaction: all of it, or nothing. Triggers rest meanwhile, since what they would do
 * is in the rows already; keys to other tables hold. Resolves with the number of rows by table.
 */
export async function loadRows(
  url: string,
  migrations: readonly AppliedMigration[],
  parts: readonly TableOfRows[],
  sequences: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, number>> {
  return withClient(url, async (client) => {
    await client.query('BEGIN');
    for (const { name, checksum } of migrations) {
      const known = await client.query('SELECT 1 FROM _prisma_migrations WHERE migration_name = $1 AND checksum = $2', [
        name,
        checksum,
      ]);
      if (known.rowCount === 0) throw new Error(`the migration ${name} is not the one that the backup was made with`);
    }
    const counts = new Map<string, number>();
    for (const { table, rows } of await inKeyOrder(client, parts)) {
      await client.query(`ALTER TABLE ${quoted(table)} DISABLE TRIGGER USER`);
      // A migration may have put rows there.
      await client.query(`DELETE FROM ${quoted(table)}`);
      counts.set(table, await insert(client, table, rows));
      await client.query(`ALTER TABLE ${quoted(table)} ENABLE TRIGGER USER`);
    }
    for (const [name, value] of Object.entries(sequences)) {
      await client.query('SELECT setval($1::regclass, $2::bigint)', [quoted(name), value]);
    }
    await client.query('COMMIT');
    return counts;
  });
}

async function insert(client: pg.Client, table: string, rows: AsyncIterable<string>): Promise<number> {
  let count = 0;
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    await loadJsonRows(client, quoted(table), `[${batch.join(',')}]`);
    count += batch.length;
    batch = [];
  };
  for await (const row of rows) {
    batch.push(row);
    if (batch.length === ROWS_PER_INSERT) await flush();
  }
  await flush();
  return count;
}

/** Tables that others refer to come first. */
async function inKeyOrder(client: pg.Client, parts: readonly TableOfRows[]): Promise<TableOfRows[]> {
  const { rows: keys } = await client.query<{ child: string; parent: string }>(
    `SELECT cn.nspname || '.' || c.relname AS "child", pn.nspname || '.' || p.relname AS "parent"
     FROM pg_constraint k
     JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
     JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
     WHERE k.contype = 'f' AND k.conrelid <> k.confrelid`,
  );
  const waiting = new Map(parts.map((part) => [part.table, part]));
  const ordered: TableOfRows[] = [];
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(
      ({ table }) => !keys.some(({ child, parent }) => child === table && waiting.has(parent)),
    );
    if (free.length === 0) throw new Error(`${[...waiting.keys()].join(', ')} refer to each other in a circle`);
    for (const part of free) waiting.delete(part.table);
    ordered.push(...free);
  }
  return ordered;
}

async function tableNames(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT table_schema || '.' || table_name AS "name" FROM information_schema.tables
     WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY 1`,
    [SCHEMAS],
  );
  return rows.map(({ name }) => name);
}

function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
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
