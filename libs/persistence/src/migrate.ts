import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { MIGRATION_LOCK, NOTES_ITSELF } from './migration-adapter.js';
import { withEngine } from './schema-engine.js';

/** The migration files keep Prisma's format, so `prisma migrate` can take over wherever it runs. */
const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
const schemaPath = join(projectRoot, 'prisma/schema.prisma');
const migrationsPath = join(projectRoot, 'prisma/migrations');

interface MigrationList {
  baseDir: string;
  shadowDbInitScript: string;
  lockfile: { path: string; content: string | null };
  migrationDirectories: { path: string; migrationFile: { path: string; content: { tag: 'ok'; value: string } } }[];
}

const filters = { externalTables: [], externalEnums: [] };

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function listMigrations(only?: readonly string[]): MigrationList {
  const all = existsSync(migrationsPath) ? readdirSync(migrationsPath) : [];
  const names = only === undefined ? all : all.filter((name) => only.includes(name));
  return {
    baseDir: migrationsPath,
    shadowDbInitScript: '',
    lockfile: { path: 'migration_lock.toml', content: readIfThere(join(migrationsPath, 'migration_lock.toml')) },
    migrationDirectories: names
      .filter((name) => statSync(join(migrationsPath, name)).isDirectory())
      .sort()
      .map((name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok', value: readFileSync(join(migrationsPath, name, 'migration.sql'), 'utf8') },
        },
      })),
  };
}

/** What Prisma's engine locks while it applies migrations. */
const ENGINE_LOCK = 72_707_369;

/**
 * Waits for a migration whose sender is dead, and lets one that did not finish be tried again: it notes its end in the
 * transaction that does its work, so without the note there was no work.
 */
async function settleUnfinished(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ENGINE_LOCK]);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const known = await client.query(`SELECT 1 WHERE to_regclass('"_prisma_migrations"') IS NOT NULL`);
    if (known.rowCount === 0) return;
    await client.query(
      `UPDATE "_prisma_migrations" SET "rolled_back_at" = now()
       WHERE "finished_at" IS NULL AND "rolled_back_at" IS NULL AND "logs" = $1`,
      [NOTES_ITSELF],
    );
  } finally {
    await client.end();
  }
}

/**
 * Applies what is missing of `prisma/migrations` to the database. Safe to call at each start, by several at once, and after
 * a call that was killed. Returns the names of the migrations applied.
 * @param only names of the migrations to look at; default: all.
 */
export async function deployMigrations(databaseUrl: string, only?: readonly string[]): Promise<string[]> {
  await settleUnfinished(databaseUrl);
  const migrationsList = listMigrations(only);
  const nameOf = new Map(
    migrationsList.migrationDirectories.map(({ path, migrationFile }) => [migrationFile.content.value, path]),
  );
  return withEngine(
    databaseUrl,
    (script) => nameOf.get(script),
    async (engine) => {
      const applied = await engine.applyMigrations({ migrationsList, filters });
      return applied.appliedMigrationNames;
    },
  );
}

/** Writes a new migration for the difference between the migrations and `schema.prisma`. Null when there is none. */
export async function createMigration(databaseUrl: string, name: string): Promise<string | null> {
  return withEngine(
    databaseUrl,
    () => undefined,
    async (engine) => {
      const diagnosis = await engine.devDiagnostic({ migrationsList: listMigrations(), filters });
      if (diagnosis.action.tag === 'reset')
        throw new Error(`the scratch database has drifted: ${diagnosis.action.reason}`);
      await engine.applyMigrations({ migrationsList: listMigrations(), filters });
      const schema = { files: [{ path: schemaPath, content: readFileSync(schemaPath, 'utf8') }] };
      const loss = await engine.evaluateDataLoss({ migrationsList: listMigrations(), schema, filters });
      for (const { message } of [...loss.warnings, ...loss.unexecutableSteps]) process.stderr.write(`${message}\n`);
      const made = await engine.createMigration({
        migrationsList: listMigrations(),
        schema,
        migrationName: name,
        draft: false,
        filters,
      });
      if (!made.migrationScript) return null;
      const folder = join(migrationsPath, made.generatedMigrationName);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'migration.sql'), made.migrationScript);
      writeFileSync(join(migrationsPath, 'migration_lock.toml'), `provider = "${made.connectorType}"\n`);
      return made.generatedMigrationName;
    },
  );
}
