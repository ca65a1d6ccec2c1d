import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedId } from '@seedfleet/wallet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOrCreateSeed, SeedError, type SeedFiles } from './seed-store.js';

let folder: string;
let files: SeedFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seed-store-'));
  files = { seedFile: join(folder, 'below', 'seed.json'), keyFile: join(folder, 'key') };
  writeFileSync(files.keyFile, 'a passphrase\n');
});

afterEach(() => rmSync(folder, { recursive: true }));

function errorOf(known: string | null): SeedError {
  try {
    openOrCreateSeed(files, known);
  } catch (failure) {
    if (failure instanceof SeedError) return failure;
    throw failure;
  }
  throw new Error('the seed was opened');
}

describe('the seed', () => {
  it('is created once, encrypted and readable by its owner only, and is the same at the next start', () => {
    const seed = openOrCreateSeed(files, null);
    expect(seed).toHaveLength(32);
    expect(statSync(files.seedFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(files.seedFile, 'utf8')).not.toContain(Buffer.from(seed).toString('hex'));
    expect(openOrCreateSeed(files, seedId(seed))).toEqual(seed);
  });

  it('opens with a key file that an editor has given other line ends', () => {
    const seed = openOrCreateSeed(files, null);
    writeFileSync(files.keyFile, 'a passphrase\r\n');
    expect(openOrCreateSeed(files, null)).toEqual(seed);
  });

  it('is not opened by another passphrase', () => {
    openOrCreateSeed(files, null);
    writeFileSync(files.keyFile, 'another passphrase');
    const error = errorOf(null);
    expect(error.code).toBe('wrong-passphrase-or-corrupt');
    expect(error.message).toContain('passphrase is wrong, or the file is corrupt');
  });

  it('is not opened from a corrupt file', () => {
    openOrCreateSeed(files, null);
    const text = readFileSync(files.seedFile, 'utf8');
    chmodSync(files.seedFile, 0o600);
    writeFileSync(files.seedFile, text.slice(0, 100));
    expect(errorOf(null).code).toBe('seed-file-malformed');
    writeFileSync(
      files.seedFile,
      text.replace(/("ciphertext": ")(.)/, (_, head, digit) => head + (digit === '0' ? '1' : '0')),
    );
    expect(errorOf(null).code).toBe('wrong-passphrase-or-corrupt');
  });

  it('is never created anew beside channels of another one', () => {
    expect(errorOf('0123456789abcdef').code).toBe('seed-file-missing');
    openOrCreateSeed(files, null);
    expect(errorOf('0123456789abcdef').code).toBe('seed-mismatch');
  });

  it('needs a key file with something in it', () => {
    writeFileSync(files.keyFile, '\n');
    expect(errorOf(null).code).toBe('seed-key-file-unreadable');
    rmSync(files.keyFile);
    expect(errorOf(null).message).toContain('SEED_KEY_FILE');
  });
});
