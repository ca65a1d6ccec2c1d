import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FleetError } from '../errors.js';
import { NETWORKS, type Network } from '../providers/provider.js';
import { startServers } from '../servers.js';
import { readRun } from '../state/run-file.js';
import { lock, releaseLocks } from '../state/folder-lock.js';
import { StateDir, writeAtomically } from '../state/state-dir.js';
import { backUp, hasSeed, restoreBackup, restoreSeed, verifyBackup, type BackupSource } from './backup.js';
import type { BackupManifest } from './manifest.js';
import { readSecret, type SeedFiles } from './seed-part.js';

export const BACKUP_USAGE = `npm run backup -- take --out DIR [FROM] [--passphrase-file FILE]
npm run backup -- verify --from DIR [--passphrase-file FILE]
npm run backup -- restore --from DIR [--key-file FILE] [TO] [--passphrase-file FILE]
npm run backup -- seed --from DIR --key-file FILE [--state DIR | --seed-file FILE] [--passphrase-file FILE]

Everything that is needed to settle: all rows of the services' tables at one moment, the place in the payment stream that they
stand for, and the encrypted seed. The key file that opens the seed is never in a backup: keep it elsewhere.

FROM, of a running fleet:
  --state DIR            its state folder (default: .seedfleet)
  --database URL --seed-file FILE --key-file FILE --network NAME --fleet-id ID
                         or where its database (as the owner of the tables) and its seed are
  --database URL --seed-elsewhere --network NAME --fleet-id ID
                         of a fleet whose signer is on another machine: no seed is in the backup (npm run signer-backup, there)
TO:
  --state DIR            a folder that does not exist yet, or that of this fleet, stopped, whose database is gone:
                         \`npm start -- --state DIR\` goes on from there
  --database URL --seed-file FILE
                         or an empty database, and where the settler's SEED_FILE is going to be; without a seed in the backup the
                         database alone

\`seed\` brings the seed alone back, for a settler whose host is lost.

  --passphrase-file FILE encrypts the backup, or opens it`;

const ROOT = resolve(import.meta.dirname, '../../../..');

/** Runs one command; the exit code: 0 done, 1 refused or failed, 2 the command line makes no sense. */
export async function runBackupCommand(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (thrown) {
    if (!(thrown instanceof FleetError)) throw thrown;
    process.stderr.write(`${thrown.what}: ${thrown.why}\nTo do: ${thrown.todo}\n`);
    return 1;
  }
}

type Values = Partial<
  Record<
    'out' | 'from' | 'state' | 'database' | 'seed-file' | 'key-file' | 'network' | 'fleet-id' | 'passphrase-file',
    string
  >
> & { readonly 'seed-elsewhere'?: boolean };

async function run(args: readonly string[]): Promise<number> {
  let parsed: { values: Values; positionals: string[] };
  try {
    const text = { type: 'string' } as const;
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: text,
        from: text,
        state: text,
        database: text,
        'seed-file': text,
        'key-file': text,
        network: text,
        'fleet-id': text,
        'passphrase-file': text,
        'seed-elsewhere': { type: 'boolean' },
      },
    });
  } catch (thrown) {
    return usage(thrown instanceof Error ? thrown.message : String(thrown));
  }
  const { values, positionals } = parsed;
  const passphrase = values['passphrase-file'] === undefined ? null : readSecret(values['passphrase-file']);
  const [verb, ...more] = positionals;
  if (more.length > 0) return usage(`${more.join(' ')}: not understood`);
  if (verb === 'take' && values.out !== undefined) {
    const source = values.database === undefined ? ofState(values.state) : ofServers(values);
    if (source === null)
      return usage('--database needs --network, --fleet-id, and --seed-file with --key-file or --seed-elsewhere');
    report('taken', await backUp(source, values.out, passphrase));
    const keyFile = source.seed?.keyFile;
    process.stdout.write(
      keyFile === undefined
        ? `in ${values.out}\n`
        : `in ${values.out}; the key ${keyFile} is not in it: keep it elsewhere\n`,
    );
    return 0;
  }
  if (verb === 'verify' && values.from !== undefined) {
    report('whole', await verifyBackup(values.from, passphrase));
    return 0;
  }
  if (verb === 'restore' && values.from !== undefined) {
    return restore(values.from, values['key-file'], values, passphrase);
  }
  if (verb === 'seed' && values.from !== undefined && values['key-file'] !== undefined) {
    return seed(values.from, values['key-file'], values, passphrase);
  }
  return usage(verb === undefined ? 'take, verify, restore or seed?' : `${verb}: an option is missing`);
}

async function restore(
  from: string,
  keyFile: string | undefined,
  values: Values,
  passphrase: Uint8Array | null,
): Promise<number> {
  const { database, 'seed-file': seedFile } = values;
  if (database !== undefined) {
    if ((seedFile === undefined) !== (keyFile === undefined))
      return usage('--seed-file and --key-file belong together');
    const seed = seedFile === undefined || keyFile === undefined ? null : { seedFile, keyFile };
    report('restored', await restoreBackup(from, { databaseUrl: database, seed }, passphrase));
  } else {
    if (values.state === undefined || keyFile === undefined) {
      return usage('restore needs --state and --key-file, or --database');
    }
    report('restored', await intoState(from, keyFile, values.state, passphrase));
    process.stdout.write(`go on with: npm start -- --no-sale --state ${values.state}\n`);
  }
  process.stdout.write(
    'Channels opened after that moment are not in it: nobody can settle them, and payments for them that the broker or a\n' +
      'node still has are kept as parked payments with the code unknown-channel.\n',
  );
  return 0;
}

/** With --state the key goes to where the settler of that fleet looks for it. */
async function seed(from: string, keyFile: string, values: Values, passphrase: Uint8Array | null): Promise<number> {
  const { state, 'seed-file': seedFile } = values;
  if ((state === undefined) === (seedFile === undefined)) return usage('seed needs --state or --seed-file');
  const target = state === undefined ? { seedFile: seedFile ?? '', keyFile } : filesOf(StateDir.open(state));
  await restoreSeed(from, { seedFile: target.seedFile, keyFile }, passphrase);
  if (target.keyFile !== keyFile) writeAtomically(target.keyFile, readFileSync(keyFile, 'utf8'));
  process.stdout.write(`the seed is in ${target.seedFile}: start the settler\n`);
  return 0;
}

/** A fleet of the same identity in a new folder, or the one whose database is gone in its own, with servers of its own for as long as it takes. */
async function intoState(
  from: string,
  keyFile: string,
  stateDir: string,
  passphrase: Uint8Array | null,
): Promise<BackupManifest> {
  const manifest = await verifyBackup(from, passphrase);
  const network = NETWORKS.find((name) => name === manifest.network);
  const refused = (why: string, todo: string) =>
    new FleetError('backup-refused', `the backup can't go to ${stateDir}`, why, todo);
  if (!hasSeed(manifest) && manifest.seedId !== null) {
    throw refused('it has no seed, which a signer elsewhere has', 'restore it with --database, for that signer');
  }
  if (network === undefined) throw refused(`its network ${manifest.network} is unknown`, 'use a newer program');
  const isThere = existsSync(stateDir);
  const state = StateDir.open(stateDir);
  if (isThere) {
    const isThis = state.id === manifest.fleetId && state.known.network === manifest.network;
    if (!isThis) throw refused('it is of another fleet, or of none', 'name a folder that does not exist');
    lock(state, 'fleet');
    state.forgetLostDatabase();
  } else {
    // The identity names its subjects at the broker, which may still have payments; one of another form can't be taken over.
    state.remember(/^[0-9a-f]{8}$/.test(manifest.fleetId) ? { id: manifest.fleetId, network } : { network });
  }
  const seed = filesOf(state);
  if (!existsSync(seed.keyFile)) writeAtomically(seed.keyFile, readFileSync(keyFile, 'utf8'));
  try {
    const servers = await startServers({ stateDir, network: network satisfies Network });
    try {
      return await restoreBackup(from, { seed, databaseUrl: servers.connections.postgres.url }, passphrase);
    } finally {
      await servers.stop();
    }
  } finally {
    releaseLocks(state);
  }
}

function filesOf(state: StateDir): SeedFiles {
  const folder = state.folder('services', 'channel-settler');
  return { seedFile: join(folder, 'seed.json'), keyFile: join(folder, 'seed.key') };
}

function ofState(given: string | undefined): BackupSource {
  const path = resolve(given ?? join(ROOT, '.seedfleet'));
  const run = readRun(path);
  return { seed: filesOf(StateDir.open(path)), databaseUrl: run.postgres, network: run.network, fleetId: run.id };
}

function ofServers(values: Values): BackupSource | null {
  const { database, 'seed-file': seedFile, 'key-file': keyFile, network, 'fleet-id': fleetId } = values;
  if (!database || !network || !fleetId) return null;
  const isElsewhere = values['seed-elsewhere'] === true;
  if (isElsewhere) return seedFile || keyFile ? null : { databaseUrl: database, seed: null, network, fleetId };
  return seedFile && keyFile ? { databaseUrl: database, seed: { seedFile, keyFile }, network, fleetId } : null;
}

function report(verb: string, manifest: BackupManifest): void {
  const { takenAt, files, channels, payments, network, salt, seedId } = manifest;
  const rows = files.reduce((sum, { table, lines }) => sum + (table === null ? 0 : lines), 0);
  const states = Object.entries(channels).map(([state, count]) => `${count} ${state}`);
  const place = payments.map(({ partition, committedSeq }) => `partition ${partition} at ${committedSeq}`);
  process.stdout.write(
    `${verb}: ${network}, ${rows} rows as of ${takenAt}${salt === null ? ', not encrypted' : ', encrypted'}\n` +
      `channels: ${states.join(', ') || 'none'}; payment stream: ${place.join(', ') || 'nothing yet'}\n`,
  );
  if (!hasSeed(manifest) && seedId !== null) {
    process.stdout.write(`no seed is in it: ${seedId} is with a signer elsewhere, which has a backup of its own\n`);
  }
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\n\n${BACKUP_USAGE}\n`);
  return 2;
}
