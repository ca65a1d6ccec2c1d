import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployMigrations, grantRoles } from '@seedfleet/persistence';
import { FleetError, reasonOf } from '../errors.js';
import { hasTables, inSnapshot, loadRows } from './database-rows.js';
import { macOf, MANIFEST, openBackup, refused, type BackupManifest } from './manifest.js';
import { backupKey, readPart, sha256Of, writePart } from './part-file.js';
import { checkSeed, keepSeed, readSeed, SEED, seedOf, single, writeSeed, type SeedFiles } from './seed-part.js';

/*
 * Everything that is needed to settle, in one folder: every row of the services' tables at one moment, the place in the payment
 * stream that they stand for, and the encrypted seed. The key that opens the seed is not in it: it has to be kept elsewhere.
 */

/** Where a fleet keeps what has to be settled. */
export interface BackupSource {
  /** As the owner of the tables. */
  readonly databaseUrl: string;
  /** Null where the seed is with a signer on another machine: it has its own backup. */
  readonly seed: SeedFiles | null;
  readonly network: string;
  readonly fleetId: string;
}

/** Takes a backup into a new folder, which appears complete or not at all. Throws FleetError. */
export async function backUp(
  source: BackupSource,
  out: string,
  passphrase: Uint8Array | null,
): Promise<BackupManifest> {
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw refused(`${out} is not empty`, 'a backup never overwrites anything', 'name a folder that does not exist');
  }
  const partial = `${out}.${process.pid}.partial`;
  try {
    mkdirSync(partial, { recursive: true, mode: 0o700 });
    const manifest = await writeBackup(source, partial, passphrase);
    // What can't be read back is no backup.
    await verifyBackup(partial, passphrase);
    if (existsSync(out)) rmdirSync(out);
    renameSync(partial, out);
    return manifest;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

async function writeBackup(
  source: BackupSource,
  folder: string,
  passphrase: Uint8Array | null,
): Promise<BackupManifest> {
  const salt = passphrase === null ? null : randomBytes(16).toString('hex');
  const key = passphrase === null || salt === null ? null : backupKey(passphrase, salt);
  const files: BackupManifest['files'] = [];
  const add = async (file: string, table: string | null, content: AsyncIterable<string>): Promise<void> => {
    let lines = 0;
    const counted = async function* (): AsyncGenerator<string> {
      for await (const line of content) {
        lines += 1;
        yield line;
      }
    };
    await writePart(join(folder, file), counted(), key);
    files.push({ file, table, lines, sha256: await sha256Of(join(folder, file)) });
  };
  const manifest = await inSnapshot(source.databaseUrl, async (snapshot) => {
    const takenAt = new Date().toISOString();
    const [epoch] = await snapshot.query<{ seedId: string }>(
      'SELECT "seedId" FROM channel.key_epoch ORDER BY "epoch" DESC LIMIT 1',
    );
    const known = epoch?.seedId ?? null;
    const seed = source.seed === null ? null : readSeed(source.seed, known);
    const payments = await snapshot.query<BackupManifest['payments'][number]>(
      'SELECT "partition", "streamEpoch", "committedSeq"::text AS "committedSeq" FROM channel.payment_watermark',
    );
    const states = await snapshot.query<{ state: string; count: number }>(
      'SELECT "state", count(*)::int AS "count" FROM channel.channel GROUP BY 1 ORDER BY 1',
    );
    for (const table of snapshot.tables) await add(`${table}.jsonl.gz`, table, snapshot.rowsOf(table));
    if (seed !== null) await add(SEED, null, single(seed));
    return {
      kind: 'seedfleet-backup' as const,
      version: 1 as const,
      takenAt,
      network: source.network,
      fleetId: source.fleetId,
      seedId: known,
      migrations: [...snapshot.migrations],
      sequences: { ...snapshot.sequences },
      payments,
      channels: Object.fromEntries(states.map(({ state, count }) => [state, count])),
      salt,
      files,
    };
  });
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  writeFileSync(join(folder, MANIFEST), text, { mode: 0o600 });
  writeFileSync(join(folder, `${MANIFEST}.mac`), macOf(text, key), { mode: 0o600 });
  return manifest;
}

/** Reads a backup whole: its manifest, every checksum, every line. Throws FleetError where anything is not as it was written. */
export async function verifyBackup(from: string, passphrase: Uint8Array | null): Promise<BackupManifest> {
  const { manifest, key } = openBackup(from, passphrase);
  for (const { file, lines, sha256 } of manifest.files) {
    try {
      if ((await sha256Of(join(from, file))) !== sha256) throw new Error('its checksum is another');
      let found = 0;
      for await (const line of readPart(join(from, file), key)) found += line.length > 0 ? 1 : 0;
      if (found !== lines) throw new Error(`it has ${found} lines, not ${lines}`);
    } catch (thrown) {
      throw refused(`${join(from, file)} can't be used`, reasonOf(thrown), 'take another copy of the backup');
    }
  }
  return manifest;
}

/** Where a backup goes. */
export interface RestoreTarget {
  /** An empty database, as its owner. */
  readonly databaseUrl: string;
  /** A file that does not exist or holds the backup's seed, and what opens it, which is no part of the backup. Null: see `hasSeed`. */
  readonly seed: SeedFiles | null;
}

/** Whether the seed is in a backup. It is not where a signer on another machine has it, nor where no settler has ever started. */
export function hasSeed({ files }: BackupManifest): boolean {
  return files.some(({ file }) => file === SEED);
}

/**
 * Restores a backup into an empty database and a seed file that is not there. Checks everything before it writes anything.
 * The settler's next start begins a new epoch of keys by itself, since the database has begun another life.
 */
export async function restoreBackup(
  from: string,
  target: RestoreTarget,
  passphrase: Uint8Array | null,
): Promise<BackupManifest> {
  const manifest = await verifyBackup(from, passphrase);
  const { key } = openBackup(from, passphrase);
  const seed = await seedOf(from, manifest, key);
  if (target.seed !== null) {
    if (seed !== null) checkSeed(seed, target.seed.keyFile, manifest.seedId);
    keepSeed(target.seed, manifest.seedId);
  } else if (seed !== null) {
    throw refused(`${from} has a seed`, 'nothing says where it goes', 'name --seed-file and --key-file');
  }
  if (await hasTables(target.databaseUrl)) {
    throw refused('the database is not empty', 'it has tables of this program', 'name a new database');
  }
  try {
    await deployMigrations(
      target.databaseUrl,
      manifest.migrations.map(({ name }) => name),
    );
    const parts = manifest.files.flatMap(({ file, table }) =>
      table === null ? [] : [{ table, rows: readPart(join(from, file), key) }],
    );
    const counts = await loadRows(target.databaseUrl, manifest.migrations, parts, manifest.sequences);
    for (const { table, lines } of manifest.files) {
      if (table !== null && counts.get(table) !== lines)
        throw new Error(`${table}: ${counts.get(table)} of ${lines} rows`);
    }
    // What this version of the program has beyond the backup's.
    await deployMigrations(target.databaseUrl);
    await grantRoles(target.databaseUrl);
  } catch (thrown) {
    throw new FleetError(
      'database-failed',
      'the backup could not be loaded',
      reasonOf(thrown),
      'drop the database and try again; if the migrations differ, use the version that made the backup',
    );
  }
  if (seed !== null && target.seed !== null) writeSeed(target.seed.seedFile, seed);
  return manifest;
}

/**
 * Brings the seed alone back, where the settler's host is lost and the database is not. Throws FleetError; overwrites nothing.
 */
export async function restoreSeed(
  from: string,
  target: SeedFiles,
  passphrase: Uint8Array | null,
): Promise<BackupManifest> {
  const manifest = await verifyBackup(from, passphrase);
  const seed = await seedOf(from, manifest, openBackup(from, passphrase).key);
  if (seed === null) {
    throw manifest.seedId === null
      ? refused(`${from} has no seed`, 'no settler had started when it was taken', 'use a later one')
      : refused(
          `${from} has no seed`,
          'a signer elsewhere has it',
          "on the signer's host: npm run signer-backup -- restore",
        );
  }
  checkSeed(seed, target.keyFile, manifest.seedId);
  keepSeed(target, manifest.seedId);
  writeSeed(target.seedFile, seed);
  return manifest;
}
