import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { deployMigrations, grantRoles } from '@seedfleet/persistence';
import { openSeed, seedId } from '@seedfleet/wallet';
import { z } from 'zod';
import { FleetError, reasonOf } from '../errors.js';
import { writeAtomically } from '../state/state-dir.js';
import { hasTables, inSnapshot, loadRows } from './database-rows.js';
import { backupKey, readPart, sha256Of, writePart } from './part-file.js';

/*
 * Everything that is needed to settle, in one folder: every row of the services' tables at one moment, the place in the payment
 * stream that they stand for, and the encrypted seed. The key that opens the seed is not in it: it has to be kept elsewhere.
 */

const MANIFEST = 'manifest.json';
const SEED = 'seed';

const manifestSchema = z.object({
  kind: z.literal('seedfleet-backup'),
  version: z.literal(1),
  /** When the snapshot was taken. Channels opened later are not in it. */
  takenAt: z.iso.datetime(),
  network: z.string(),
  fleetId: z.string(),
  /** Fingerprint of the seed that the channels' keys come from; null where no settler has ever started. */
  seedId: z.string().nullable(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  sequences: z.record(z.string(), z.string()),
  /** Up to where the payment stream is in the rows: a broker that still has the rest gives it to the restored database. */
  payments: z.array(z.object({ partition: z.number(), streamEpoch: z.string(), committedSeq: z.string() })),
  /** Channels by state. */
  channels: z.record(z.string(), z.number()),
  /** Salt of the key, where the files are encrypted. */
  salt: z.string().nullable(),
  files: z.array(z.object({ file: z.string(), table: z.string().nullable(), lines: z.number(), sha256: z.string() })),
});

/** See the schema. */
export type BackupManifest = z.infer<typeof manifestSchema>;

/** Where a fleet keeps what has to be settled. */
export interface BackupSource {
  /** As the owner of the tables. */
  readonly databaseUrl: string;
  readonly seedFile: string;
  readonly keyFile: string;
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
    const seed = readSeed(source, known);
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
  /** Must not exist, or hold the seed of the backup. */
  readonly seedFile: string;
  /** Opens the seed; it is no part of the backup. */
  readonly keyFile: string;
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
  if (seed !== null) checkSeed(seed, target.keyFile, manifest.seedId);
  keepSeed(target, manifest.seedId);
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
  if (seed !== null) writeSeed(target.seedFile, seed);
  return manifest;
}

/**
 * Brings the seed alone back, where the settler's host is lost and the database is not. Throws FleetError; overwrites nothing.
 */
export async function restoreSeed(
  from: string,
  target: Omit<RestoreTarget, 'databaseUrl'>,
  passphrase: Uint8Array | null,
): Promise<BackupManifest> {
  const manifest = await verifyBackup(from, passphrase);
  const seed = await seedOf(from, manifest, openBackup(from, passphrase).key);
  if (seed === null)
    throw refused(`${from} has no seed`, 'no settler had started when it was taken', 'use a later one');
  checkSeed(seed, target.keyFile, manifest.seedId);
  keepSeed(target, manifest.seedId);
  writeSeed(target.seedFile, seed);
  return manifest;
}

/** A seed is never overwritten, unless it is the same. */
function keepSeed({ seedFile, keyFile }: Omit<RestoreTarget, 'databaseUrl'>, known: string | null): void {
  if (!existsSync(seedFile)) return;
  if (known !== null) return checkSeed(readFileSync(seedFile, 'utf8'), keyFile, known);
  throw refused(`${seedFile} exists`, 'a seed is never overwritten', 'move it away, if it really is not needed');
}

function writeSeed(seedFile: string, seed: string): void {
  mkdirSync(dirname(seedFile), { recursive: true, mode: 0o700 });
  writeAtomically(seedFile, seed);
}

function openBackup(from: string, passphrase: Uint8Array | null): { manifest: BackupManifest; key: Uint8Array | null } {
  let text: string;
  let mac: string;
  try {
    text = readFileSync(join(from, MANIFEST), 'utf8');
    mac = readFileSync(join(from, `${MANIFEST}.mac`), 'utf8');
  } catch (thrown) {
    throw refused(`${from} is no backup`, reasonOf(thrown), 'name the folder that the backup was written to');
  }
  let manifest: BackupManifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw refused(`${from} is damaged, or of a later version`, reasonOf(thrown), 'take another copy of the backup');
  }
  if (manifest.salt !== null && passphrase === null) {
    throw refused(`${from} is encrypted`, 'no passphrase was given', 'name its file with --passphrase-file');
  }
  const key = manifest.salt === null || passphrase === null ? null : backupKey(passphrase, manifest.salt);
  const expected = Buffer.from(macOf(text, key));
  const given = Buffer.from(mac);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refused(
      `the manifest of ${from} can't be trusted`,
      key === null ? 'its checksum is another' : 'the passphrase is wrong, or it was changed',
      'take another copy of the backup',
    );
  }
  return { manifest, key };
}

/** Of an encrypted backup nobody without the passphrase can make another manifest; of a plain one it shows damage. */
function macOf(text: string, key: Uint8Array | null): string {
  const hash = key === null ? createHash('sha256') : createHmac('sha256', key);
  return `${hash.update('seedfleet backup manifest').update(text).digest('hex')}\n`;
}

function readSeed({ seedFile, keyFile }: BackupSource, known: string | null): string | null {
  if (!existsSync(seedFile)) {
    if (known === null) return null;
    throw refused(
      `${seedFile} does not exist`,
      `the channels belong to seed ${known}`,
      'name the file with --seed-file',
    );
  }
  const text = readFileSync(seedFile, 'utf8');
  checkSeed(text, keyFile, known);
  return text;
}

/** A backup whose seed can't be opened, or is not the channels', would settle nothing. */
function checkSeed(text: string, keyFile: string, known: string | null): void {
  const opened = openSeed(text, readSecret(keyFile));
  if (!opened.ok) throw refused(`the seed can't be opened with ${keyFile}`, opened.code, 'name the right key file');
  const id = seedId(opened.seed);
  if (known !== null && id !== known) {
    throw refused(
      'the seed is another',
      `it is ${id}, and the channels belong to ${known}`,
      'name the right seed file',
    );
  }
}

/** A key or passphrase without the line end that editors add. */
export function readSecret(file: string): Uint8Array {
  try {
    const text = readFileSync(file)
      .toString('latin1')
      .replace(/[\r\n]+$/, '');
    if (text === '') throw new Error('it is empty');
    return new Uint8Array(Buffer.from(text, 'latin1'));
  } catch (thrown) {
    throw refused(`${file} can't be used`, reasonOf(thrown), 'name the right file');
  }
}

async function seedOf(from: string, manifest: BackupManifest, key: Uint8Array | null): Promise<string | null> {
  if (!manifest.files.some(({ file }) => file === SEED)) return null;
  const lines: string[] = [];
  for await (const line of readPart(join(from, SEED), key)) lines.push(line);
  return (JSON.parse(lines[0] ?? '""') as string) || null;
}

/** As one line. */
async function* single(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(JSON.stringify(text));
}

function refused(what: string, why: string, todo: string): FleetError {
  return new FleetError('backup-refused', what, why, todo);
}
