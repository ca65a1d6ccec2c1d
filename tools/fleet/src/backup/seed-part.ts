import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openSeed, seedId } from '@seedfleet/wallet';
import { reasonOf } from '../errors.js';
import { writeAtomically } from '../state/state-dir.js';
import { refused, type BackupManifest } from './manifest.js';
import { readPart } from './part-file.js';

export const SEED = 'seed';

/** A seed and what opens it. */
export interface SeedFiles {
  readonly seedFile: string;
  readonly keyFile: string;
}

export function readSeed({ seedFile, keyFile }: SeedFiles, known: string | null): string | null {
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
export function checkSeed(text: string, keyFile: string, known: string | null): void {
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

/** A seed is never overwritten, unless it is the same. */
export function keepSeed({ seedFile, keyFile }: SeedFiles, known: string | null): void {
  if (!existsSync(seedFile)) return;
  if (known !== null) return checkSeed(readFileSync(seedFile, 'utf8'), keyFile, known);
  throw refused(`${seedFile} exists`, 'a seed is never overwritten', 'move it away, if it really is not needed');
}

export function writeSeed(seedFile: string, seed: string): void {
  mkdirSync(dirname(seedFile), { recursive: true, mode: 0o700 });
  writeAtomically(seedFile, seed);
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

export async function seedOf(from: string, manifest: BackupManifest, key: Uint8Array | null): Promise<string | null> {
  if (!manifest.files.some(({ file }) => file === SEED)) return null;
  const lines: string[] = [];
  for await (const line of readPart(join(from, SEED), key)) lines.push(line);
  return (JSON.parse(lines[0] ?? '""') as string) || null;
}

/** As one line. */
export async function* single(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(JSON.stringify(text));
}
