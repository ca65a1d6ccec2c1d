import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { connectionParts } from './connection-parts.js';
import { MigrationPg } from './migration-adapter.js';

const schemaPath = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));

export interface SchemaEngine {
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

/**
 * Works with Prisma's own schema engine, driven as WebAssembly through the Postgres driver, because its native binary is
 * a download.
 * @param nameOf as for {@link MigrationPg}
 */
export async function withEngine<T>(
  databaseUrl: string,
  nameOf: (script: string) => string | undefined,
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  mendUnknownTypes();
  const glue = await loadGlue();
  const postgres = new MigrationPg(connectionParts(databaseUrl), nameOf);
  const factory = bindMigrationAwareSqlAdapterFactory(postgres);
  const engine = await glue.SchemaEngine.new([[schemaPath, readFileSync(schemaPath, 'utf8')]], () => {}, factory);
  try {
    return await work(engine);
  } finally {
    engine.free?.();
    await postgres.disconnect();
  }
}
