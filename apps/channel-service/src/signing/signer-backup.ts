import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Network } from '@seedfleet/payment-channel';
import { seedId } from '@seedfleet/wallet';
import { openOrCreateSeed } from '../keys/seed-store.js';
import { SigningLogError } from './log-lines.js';
import {
  copyLog,
  filesOf,
  flush,
  readSigningLog,
  removeLog,
  renameLog,
  segmentFile,
  segmentsOf,
  type LogPosition,
} from './log-segments.js';
import { SigningLog } from './signing-log.js';

/*
 * What only the signer's host has: the encrypted seed and the log. The key that opens the seed is not in a backup: it has to be
 * kept elsewhere.
 */

const SEED = 'seed.json';
const LOG = 'signing.log';

/** Where a signer keeps both, as its variables name them. */
export interface SignerFiles {
  readonly seedFile: string;
  readonly keyFile: string;
  readonly log: string;
}

/** Nothing was written; the message says why. */
export class SignerBackupError extends Error {
  readonly code = 'signer-backup-refused';
}

/**
 * Copies seed and log into a new folder, beside a running signer: whole lines only. What can't be opened or read is no backup.
 * @throws SignerBackupError, SeedError, SigningLogError
 */
export function backUpSigner(files: SignerFiles, out: string): LogPosition {
  if (existsSync(out)) throw new SignerBackupError(`${out} exists: a backup never overwrites anything`);
  checked(files);
  const partial = `${out}.${process.pid}.partial`;
  try {
    mkdirSync(partial, { recursive: true, mode: 0o700 });
    const copy = { seedFile: join(partial, SEED), keyFile: files.keyFile, log: join(partial, LOG) };
    copyFileSync(files.seedFile, copy.seedFile);
    copyLog(files.log, copy.log);
    // The last line may have been on its way, or the next segment.
    const { segment, bytes } = readSigningLog(copy.log, () => undefined);
    truncateSync(segmentFile(copy.log, segment), bytes);
    for (const left of segmentsOf(copy.log)) if (left > segment) rmSync(segmentFile(copy.log, left));
    const at = checked(copy);
    for (const file of [copy.seedFile, ...filesOf(copy.log), partial]) flush(file);
    renameSync(partial, out);
    flush(dirname(out));
    return at;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Reads a backup whole. @throws as above */
export function verifySignerBackup(from: string, keyFile: string): LogPosition {
  return checked({ seedFile: join(from, SEED), keyFile, log: join(from, LOG) });
}

/**
 * Puts a backup where no log is. The line that is written below it says that later ones may be missing: the signer gives no
 * settlement then that it might have given otherwise, until its operator vouches for the settler. A signer that is tried again and
 * again meanwhile finds the log first, and makes no seed beside it. @throws as above
 * @param isSure whether the operator does so now
 */
export async function restoreSigner(from: string, to: SignerFiles, isSure = false): Promise<LogPosition> {
  verifySignerBackup(from, to.keyFile);
  mustBeFree(to.log);
  if (existsSync(to.seedFile)) checked({ ...to, log: join(from, LOG) });
  const position = await putLog(to.log, isSure, (partial) => {
    copyLog(join(from, LOG), partial);
    let whose = { seedId: '', network: '' };
    readSigningLog(partial, (line) => {
      if (line.kind === 'begun') whose = line;
    });
    return whose;
  });
  if (!existsSync(to.seedFile)) {
    mkdirSync(dirname(to.seedFile), { recursive: true, mode: 0o700 });
    copyFileSync(join(from, SEED), `${to.seedFile}.partial`);
    flush(`${to.seedFile}.partial`);
    renameSync(`${to.seedFile}.partial`, to.seedFile);
    flush(dirname(to.seedFile));
  }
  return position;
}

/**
 * Begins a log beside a seed whose log is lost, with no copy of it. It says of itself that all that was signed is missing, as one
 * does that was put back. @throws as above
 */
export async function beginSignerLog(files: SignerFiles, network: Network, isSure = false): Promise<LogPosition> {
  mustBeFree(files.log);
  if (!existsSync(files.seedFile)) throw new SignerBackupError(`${files.seedFile} does not exist: restore it first`);
  const whose = { seedId: seedId(openOrCreateSeed(files, null)), network };
  return putLog(files.log, isSure, () => whose);
}

function mustBeFree(log: string): void {
  if (segmentsOf(log).length === 0) return;
  throw new SignerBackupError(
    `${log} exists, and may be newer than the backup: if it is whole, start the signer with it; if not, move it away`,
  );
}

/**
 * @param begin may put lines where it is told to, and says whose they are
 */
async function putLog(
  log: string,
  sure: boolean,
  begin: (partial: string) => { readonly seedId: string; readonly network: string },
): Promise<LogPosition> {
  const partial = `${log}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    const written = await SigningLog.open(partial, begin(partial), { segmentLines: Infinity, keptForMs: Infinity });
    await written.append({ kind: 'restored', ...(sure ? { sure } : {}) });
    const { position } = written;
    await written.close();
    for (const file of filesOf(partial)) flush(file);
    renameLog(partial, log);
    return position;
  } finally {
    removeLog(partial);
  }
}

/** The seed can be opened, the log is whole, and both belong together. */
function checked({ seedFile, keyFile, log }: SignerFiles): LogPosition {
  if (!existsSync(seedFile)) throw new SignerBackupError(`${seedFile} does not exist`);
  if (segmentsOf(log).length === 0) throw new SignerBackupError(`${log} does not exist`);
  const id = seedId(openOrCreateSeed({ seedFile, keyFile }, null));
  let whose = '';
  const at = readSigningLog(log, (line) => {
    if (line.kind === 'begun') whose = line.seedId;
  });
  if (at.seq === 0) throw new SigningLogError('signing-log-broken', `${log} is empty`);
  if (whose !== id) {
    throw new SigningLogError('signing-log-of-another-seed', `${log} is of seed ${whose}, and ${seedFile} holds ${id}`);
  }
  return at;
}
