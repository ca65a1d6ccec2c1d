import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BuyerError, ExitCode } from '../failure.js';
import { readIfThere } from './durable-file.js';

/** Between finding a lock and reading it its owner may end; more often than this in a row is no coincidence. */
const MAX_ATTEMPTS = 5;

/**
 * Locks a wallet's folder for this process: two would hand out the same keys. A lock left behind by a process that is
 * gone is taken over. Throws `BuyerError` `wallet-in-use` if another process has it or is just taking it.
 *
 * The file is linked into place with its content, so no one ever sees it half written.
 */
export function lockWallet(dir: string): void {
  const path = lockPath(dir);
  const own = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  writePid(own);
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (linkIfFree(own, path)) return;
      const owner = readIfThere(path);
      if (owner === undefined) continue;
      if (isHeld(owner)) throw inUse(path, owner);
      return takeOver(own, path);
    }
    throw inUse(path, 'changing owners');
  } finally {
    rmSync(own, { force: true });
  }
}

export function unlockWallet(dir: string): void {
  unlinkSync(lockPath(dir));
}

function lockPath(dir: string): string {
  return join(dir, 'wallet.lock');
}

/**
 * Of several that find the same stale lock one gets the guard; it looks again, because the lock may have been taken over
 * before. The stale file stays in place until it is replaced, so that nobody slips in between.
 */
function takeOver(own: string, path: string): void {
  const guard = `${path}.takeover`;
  if (!linkIfFree(own, guard)) throw inUse(guard, readIfThere(guard) ?? 'gone again');
  try {
    const owner = readIfThere(path);
    if (owner !== undefined && isHeld(owner)) throw inUse(path, owner);
    if (owner !== undefined) renameSync(own, path);
    else if (!linkIfFree(own, path)) throw inUse(path, readIfThere(path) ?? 'gone again');
  } finally {
    unlinkSync(guard);
  }
}

function writePid(path: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, String(process.pid));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw failure;
  }
}

/** Whether the owner may still run. What names no process is not ours to remove. */
function isHeld(owner: string): boolean {
  if (!/^[1-9]\d{0,9}$/.test(owner)) return true;
  const pid = Number(owner);
  // In a container every run may have the same id.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (failure) {
    return (failure as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(path: string, owner: string): BuyerError {
  const message = `the wallet is in use: ${path} names process "${owner}"; delete the file if no leecher runs`;
  return new BuyerError(ExitCode.failed, 'wallet-in-use', message);
}
