import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FleetError } from '../errors.js';
import { isAlive, ownIdentity, type ProcessIdentity } from '../supervise/process-identity.js';
import type { StateDir } from './state-dir.js';

/** What one process at a time may do with a state folder. */
export type LockName =
  /** Run servers on the data below it. */
  | 'servers'
  /** Run a fleet's services. */
  | 'fleet';

const ATTEMPTS = 5;
const LOCKS: readonly LockName[] = ['servers', 'fleet'];

/** Takes a lock of a state folder, or says who has it. */
export function lock(state: StateDir, name: LockName): void {
  if (tryLock(state, name)) return;
  throw new FleetError(
    'state-dir-busy',
    `${state.path} is in use`,
    `process ${lockHolder(state, name)?.pid ?? 'unknown'} runs its ${name === 'fleet' ? 'fleet' : 'servers'}`,
    'stop that one first (Ctrl-C there), or start another fleet with --state DIR',
  );
}

/** Gives back whatever this process has locked. */
export function releaseLocks(state: StateDir): void {
  for (const name of LOCKS) {
    if (lockHolder(state, name)?.pid === process.pid) rmSync(state.file(`${name}.lock`), { force: true });
  }
}

/** Whether the lock could be taken: the lock of a dead process counts for nothing. */
function tryLock(state: StateDir, name: LockName): boolean {
  const file = state.file(`${name}.lock`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      writeFileSync(file, JSON.stringify(ownIdentity()), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      const holder = lockHolder(state, name);
      if (holder !== undefined && isAlive(holder)) return false;
      rmSync(file, { force: true }); // its holder was killed
    }
  }
  return false;
}

/** The process that runs a fleet from a state folder; undefined where none does. */
export function runnerOf(folder: string): number | undefined {
  const holder = readHolder(join(folder, 'fleet.lock'));
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined;
}

function lockHolder(state: StateDir, name: LockName): ProcessIdentity | undefined {
  return readHolder(state.file(`${name}.lock`));
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined; // released meanwhile, or cut short
  }
}
