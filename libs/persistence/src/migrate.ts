import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import pg from 'pg';

/**
 * Prisma's own schema engine, driven as WebAssembly through the Postgres driver, because its native binary is a
 * download. The migration files keep Prisma's format, so `prisma migrate` can take over wherever it runs.
 */

const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
const schemaPath = join(projectRoot, 'prisma/schema.prisma');
const migrationsPath = join(projectRoot, 'prisma/migrations');
const rolesPath = join(projectRoot, 'prisma/roles.sql');

interface MigrationList {
  baseDir: string;
  shadowDbInitScript: string;
  lockfile: { path: string; content: string | null };
  migrationDirectories: { path: string; migrationFile: { path: string; content: { tag: 'ok'; value: string } } }[];
}

interface SchemaEngine {
  devDiagnostic(request: object): Promise<{ action: { tag: string; reason?: string } }>;
  evaluateDataLoss(
    request: object,
  ): Promise<{ warnings: { message: string }[]; unexecutableSteps: { message: string }[] }>;
  applyMigrations(request: object): Promise<{ appliedMigrationNames: string[] }>;
  createMigration(
    request: object,
  ): Promise<{ migrationScript?: string | null; generatedMigrationName: string; connectorType: string }>;
  free?(): void;
}

interface EngineGlue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void;
  SchemaEngine: {
    new: (models: [string, string][], log: () => void, factory: unknown) => Promise<SchemaEngine>;
  };
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

function connectionParts(url: string) {
  const parsed = new URL(url);
  return {
    host: parsed.hostname,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ...tlsParts(parsed.searchParams),
  };
}

/** The certificates that the URL names, as libpq's parameters. */
function tlsParts(parameters: URLSearchParams): { ssl?: { ca?: string; cert?: string; key?: string } } {
  const read = (name: string): string | undefined => {
    const path = parameters.get(name);
    return path === null ? undefined : readFileSync(path, 'utf8');
  };
  const ca = read('sslrootcert');
  const cert = read('sslcert');
  const key = read('sslkey');
  if (ca === undefined && cert === undefined) return {};
  return {
    ssl: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}

/**
 * The adapter for migrations. Three things differ from the stock one: a script goes to the server whole, hence in one
 * transaction (the stock one cuts at every semicolon, also inside function bodies); the shadow run has its own
 * database (with a connection string it would go to the main one); and it is dropped after its pool has ended.
 */
class MigrationPg extends PrismaPg {
  constructor(private readonly parts: ReturnType<typeof connectionParts>) {
    super(parts);
  }

  /** Adapters handed to the engine, which never gives them back. */
  private readonly opened: { dispose(): Promise<void> }[] = [];

  /** Ends every connection, so that the process may end. */
  async disconnect(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((adapter) => adapter.dispose()));
  }

  override async connect() {
    const adapter = await super.connect();
    this.opened.push(adapter);
    adapter.executeScript = async (script) => {
      const client = new pg.Client(this.parts);
      await client.connect();
      try {
        await client.query(script);
      } finally {
        await client.end();
      }
    };
    return adapter;
  }

  override async connectToShadowDb() {
    const admin = await this.connect();
    const database = `prisma_shadow_${crypto.randomUUID()}`;
    await admin.executeScript(`CREATE DATABASE "${database}"`);
    const shadow = await new MigrationPg({ ...this.parts, database }).connect();
    const dispose = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await dispose();
      await admin.executeScript(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
      await admin.dispose();
    };
    return shadow;
  }
}

/** Postgres types the adapter doesn't know ("char", name and their arrays); the engine only reads them as text. */
const READ_AS_TEXT: Readonly<Record<number, number>> = { 18: 25, 19: 25, 1002: 1009, 1003: 1009 };

let typesMended = false;

function mendUnknownTypes(): void {
  if (typesMended) return;
  typesMended = true;
  for (const owner of [pg.Client, pg.Pool]) {
    const prototype = owner.prototype as unknown as { query: (...args: unknown[]) => unknown };
    const query = prototype.query;
    prototype.query = function (...args: unknown[]) {
      const result = query.apply(this, args);
      if (!(result instanceof Promise)) return result;
      return result.then((rows: { fields?: { dataTypeID: number }[] }) => {
        for (const field of rows?.fields ?? []) field.dataTypeID = READ_AS_TEXT[field.dataTypeID] ?? field.dataTypeID;
        return rows;
      });
    };
  }
}

let loadedGlue: Promise<EngineGlue> | undefined;

/** The glue keeps views of one instance's memory, so a process instantiates the module once. */
function loadGlue(): Promise<EngineGlue> {
  loadedGlue ??= (async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
    const glue = (await import(pathToFileURL(join(folder, 'schema_engine_bg.js')).href)) as EngineGlue;
    const imports = { './schema_engine_bg.js': glue as unknown as WebAssembly.ModuleImports };
    const wasm = await WebAssembly.instantiate(readFileSync(join(folder, 'schema_engine_bg.wasm')), imports);
    glue.__wbg_set_wasm(wasm.instance.exports);
    (wasm.instance.exports['__wbindgen_start'] as () => void)();
    return glue;
  })();
  return loadedGlue;
}

async function withEngine<T>(databaseUrl: string, work: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  mendUnknownTypes();
  const glue = await loadGlue();
  const postgres = new MigrationPg(connectionParts(databaseUrl));
  const factory = bindMigrationAwareSqlAdapterFactory(postgres);
  const engine = await glue.SchemaEngine.new([[schemaPath, readFileSync(schemaPath, 'utf8')]], () => {}, factory);
  try {
    return await work(engine);
  } finally {
    engine.free?.();
    await postgres.disconnect();
  }
}

/**
 * Applies what is missing of `prisma/migrations` to the database. Safe to call at each start; the engine takes an
 * advisory lock. Returns the names of the migrations applied.
 * @param only names of the migrations to look at; default: all.
 */
export async function deployMigrations(databaseUrl: string, only?: readonly string[]): Promise<string[]> {
  return withEngine(databaseUrl, async (engine) => {
    const applied = await engine.applyMigrations({ migrationsList: listMigrations(only), filters });
    return applied.appliedMigrationNames;
  });
}

/** Writes a new migration for the difference between the migrations and `schema.prisma`. Null when there is none. */
export async function createMigration(databaseUrl: string, name: string): Promise<string | null> {
  return withEngine(databaseUrl, async (engine) => {
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
  });
}

/** Passwords of the services' own Postgres roles. */
export type RolePasswords = Readonly<Record<'chain' | 'channel' | 'market', string>>;

const SERVICES = ['chain', 'channel', 'market'] as const;

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
