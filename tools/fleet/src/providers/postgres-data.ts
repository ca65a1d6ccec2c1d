import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { FleetError } from '../errors.js';
import { plainEnvironment } from '../run-command.js';
import type { StateDir } from '../state/state-dir.js';
import { lastLines } from '../supervise/log-file.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { folderElsewhere } from './data-elsewhere.js';
import { adviceFor } from './start-server.js';
import { canReach, type Owner } from './server-owner.js';

/** The superuser of the servers that this tool starts. */
export const SUPERUSER = 'seedfleet';
const INITDB_MS = 120_000;

/** The folder of this fleet's database cluster, created by initdb when there is none yet. */
export async function ensureCluster(
  binaries: string,
  state: StateDir,
  owner: Owner | undefined,
  supervisor: Supervisor,
): Promise<string> {
  const known = state.known.postgresData;
  if (known !== undefined) {
    if (existsSync(join(known, 'PG_VERSION'))) return known;
    throw new FleetError(
      'data-gone',
      "this fleet's database is gone",
      `its data were in ${known}, recorded in ${state.file('fleet.json')}`,
      'put the data back, or start a new fleet with another --state DIR',
    );
  }
  const data = chooseFolder(state, owner);
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true }); // of an initdb that was cut short
  if (!existsSync(join(data, 'PG_VERSION'))) {
    await initialise(binaries, fresh, state.known.secrets.postgres, owner, supervisor);
    renameSync(fresh, data);
  }
  state.remember({ postgresData: data, postgresMajor: clusterMajor(data) });
  return data;
}

/** The major version that a cluster was created by. */
export function clusterMajor(data: string): number {
  return Number(readFileSync(join(data, 'PG_VERSION'), 'utf8').trim());
}

/**
 * Removes the lock file of a server that was killed when its pid now belongs to somebody else: Postgres would take any
 * process of its user for itself. A Postgres server's working folder is its data folder.
 */
export function dropStaleLock(data: string): void {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) === data) return;
  } catch {
    // No such process.
  }
  rmSync(lock, { force: true });
}

/** In the state folder where its user can reach it; else, for root, among the system's variable data. */
function chooseFolder(state: StateDir, owner: Owner | undefined): string {
  mkdirSync(state.file('servers'), { recursive: true, mode: owner === undefined ? 0o700 : 0o711 });
  const inside = state.file('servers', 'postgres');
  if (canReach(state.file('servers'), owner)) return inside;
  const elsewhere = folderElsewhere(state, owner);
  if (elsewhere !== undefined) return join(elsewhere, 'postgres');
  throw new FleetError(
    'state-dir-unusable',
    'there is no place for the database',
    `${state.path} can't be reached by the user that Postgres runs as, nor can /var/lib and /var/tmp`,
    'choose a reachable folder with --state DIR, or name a Postgres server in DATABASE_URL',
  );
}

async function initialise(
  binaries: string,
  folder: string,
  password: string,
  owner: Owner | undefined,
  supervisor: Supervisor,
): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  const passwordFile = join(dirname(folder), `.password-${process.pid}`);
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (owner !== undefined) for (const path of [folder, passwordFile]) chownSync(path, owner.uid, owner.gid);
    const { exitCode, errorOutput } = await supervisor.run({
      name: 'initdb',
      command: join(binaries, 'initdb'),
      args: [
        ...['-D', folder, '-U', SUPERUSER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        ...['-E', 'UTF8', '--locale=C', '--no-instructions'],
      ],
      env: plainEnvironment(),
      cwd: '/',
      owner,
      timeoutMs: INITDB_MS,
    });
    if (exitCode !== 0) {
      const why = lastLines(errorOutput, 4) || 'initdb was ended';
      throw new FleetError('database-failed', 'the database could not be created', why, adviceFor(why));
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
}
