import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { openSeed, sealSeed, SEED_FILE_RANDOM_BYTES, seedId, type SeedFileError } from '@seedfleet/wallet';

/** Why the service can't get at its seed. */
export type SeedErrorCode =
  | SeedFileError
  /** SEED_KEY_FILE can't be read, or is empty. */
  | 'seed-key-file-unreadable'
  /** SEED_FILE can't be read or created. */
  | 'seed-file-unreadable'
  /** The database has channels of a seed, and SEED_FILE does not exist: creating another would lose their money. */
  | 'seed-file-missing'
  /** SEED_FILE holds another seed than the one the database's channels belong to. */
  | 'seed-mismatch'
  /** The signer in another process does not answer on the very first start. */
  | 'signer-unreachable';

/** The seed is not available; the message says what to do. */
export class SeedError extends Error {
  constructor(
    readonly code: SeedErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export interface SeedFiles {
  readonly seedFile: string;
  readonly keyFile: string;
}

const SEED_BYTES = 32;

/** The seed, created where there is none yet and none is known. Throws `SeedError`. */
export function openOrCreateSeed(files: SeedFiles, knownSeedId: string | null): Uint8Array {
  const secret = readSecret(files.keyFile);
  if (!existsSync(files.seedFile)) {
    if (knownSeedId !== null) {
      throw new SeedError(
        'seed-file-missing',
        `SEED_FILE ${files.seedFile} does not exist, but the database has channels of seed ${knownSeedId}: restore the file`,
      );
    }
    createSeedFile(files.seedFile, secret);
  }
  const seed = readSeed(files, secret);
  const id = seedId(seed);
  if (knownSeedId !== null && id !== knownSeedId) {
    throw new SeedError(
      'seed-mismatch',
      `SEED_FILE ${files.seedFile} holds seed ${id}, but the database's channels belong to seed ${knownSeedId}`,
    );
  }
  return seed;
}

/** The content of the key file without the line end that editors add. */
function readSecret(keyFile: string): Uint8Array {
  let content: Buffer;
  try {
    content = readFileSync(keyFile);
  } catch (failure) {
    throw new SeedError('seed-key-file-unreadable', `SEED_KEY_FILE can't be read: ${messageOf(failure)}`);
  }
  let end = content.length;
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d)) end -= 1;
  if (end === 0) throw new SeedError('seed-key-file-unreadable', `SEED_KEY_FILE ${keyFile} is empty`);
  return new Uint8Array(content.subarray(0, end));
}

/** Written whole and flushed under another name, then linked, which fails where the file has appeared meanwhile. */
function createSeedFile(seedFile: string, secret: Uint8Array): void {
  const temporary = `${seedFile}.${process.pid}.new`;
  try {
    mkdirSync(dirname(seedFile), { recursive: true, mode: 0o700 });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, sealSeed(randomBytes(SEED_BYTES), secret, randomBytes(SEED_FILE_RANDOM_BYTES)));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(temporary, seedFile);
    const folder = openSync(dirname(seedFile), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (failure) {
    // Another settler was quicker: its file counts.
    if ((failure as { code?: string }).code === 'EEXIST' && existsSync(seedFile)) return;
    throw new SeedError('seed-file-unreadable', `SEED_FILE can't be created: ${messageOf(failure)}`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function readSeed({ seedFile, keyFile }: SeedFiles, secret: Uint8Array): Uint8Array {
  let text: string;
  try {
    text = readFileSync(seedFile, 'utf8');
  } catch (failure) {
    throw new SeedError('seed-file-unreadable', `SEED_FILE can't be read: ${messageOf(failure)}`);
  }
  const opened = openSeed(text, secret);
  if (opened.ok) return opened.seed;
  throw new SeedError(opened.code, describe(opened.code, seedFile, keyFile));
}

function describe(code: SeedFileError, seedFile: string, keyFile: string): string {
  switch (code) {
    case 'wrong-passphrase-or-corrupt':
      return `SEED_FILE ${seedFile} can't be opened with SEED_KEY_FILE ${keyFile}: the passphrase is wrong, or the file is corrupt`;
    case 'seed-file-malformed':
      return `SEED_FILE ${seedFile} is not a seed file, or is corrupt: restore it from a backup`;
    case 'seed-file-version-unknown':
      return `SEED_FILE ${seedFile} was written by a later version of this software`;
    case 'seed-file-too-costly':
      return `SEED_FILE ${seedFile} asks for an absurd amount of work to open: it was tampered with, or is corrupt`;
  }
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
