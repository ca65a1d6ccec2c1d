import type pg from 'pg';

/** Inserts rows, a JSON array of objects, into a table; columns that Postgres works out itself are left to it. */
export async function loadJsonRows(client: pg.Client, table: string, json: string): Promise<void> {
  const { rows } = await client.query<{ columns: string | null }>(
    `SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) AS "columns" FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [table],
  );
  const columns = rows[0]?.columns;
  if (!columns) throw new Error(`${table} has no columns`);
  await client.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::${table}, $1::json)`,
    [json],
  );
}
