import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { entropyOf, isMnemonic, mnemonicOf, openSeed, sealSeed, SEED_FILE_RANDOM_BYTES } from '@seedfleet/wallet';
import { BuyerError, ExitCode } from '../failure.js';
import { faultPoint } from '../fault-points.js';
import { readIfThere, writeDurably } from './durable-file.js';

/** 24 words. */
const ENTROPY_BYTES = 32;
const KEY_FILE_BYTES = 32;

/**
 * A wallet's seed on disk: `seed.json`, encrypted under a passphrase, or, where none was chosen, under `seed.key` beside
 * it, so that a wallet for small change works without anybody at a terminal.
 */
export interface SeedProtection {
  /** Undefined: the key file. */
  readonly passphrase?: string | undefined;
}

export function hasSeed(dir: string): boolean {
  return readIfThere(seedPath(dir)) !== undefined;
}

/** Whether opening the seed needs a passphrase. */
export function needsPassphrase(dir: string): boolean {
  return hasSeed(dir) && readIfThere(keyPath(dir)) === undefined;
}

/**
 * Writes a new seed, or the one of these words. Throws `wallet-exists` rather than replacing one, `words-invalid` for
 * words that are no BIP 39 mnemonic.
 * @returns the words: whoever has them has the money.
 */
export function createSeed(dir: string, protection: SeedProtection, words?: string): string {
  if (hasSeed(dir)) throw new BuyerError(ExitCode.usage, 'wallet-exists', `${dir} holds a wallet already`);
  const spelled = words?.trim().toLowerCase().split(/\s+/).join(' ');
  if (spelled !== undefined && !isMnemonic(spelled)) {
    throw new BuyerError(ExitCode.usage, 'words-invalid', 'these are no seed words: a word or the checksum is wrong');
  }
  const entropy = spelled === undefined ? randomBytes(ENTROPY_BYTES) : entropyOf(spelled);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  faultPoint('seed.before-store');
  writeDurably(seedPath(dir), sealSeed(entropy, secretFor(dir, protection), randomBytes(SEED_FILE_RANDOM_BYTES)));
  faultPoint('seed.after-store');
  return mnemonicOf(entropy);
}

/** The words of the folder's seed. Throws `passphrase-needed`, or the seed file's own code. */
export function readWords(dir: string, protection: SeedProtection): string {
  const path = seedPath(dir);
  const sealed = readIfThere(path);
  if (sealed === undefined) throw new BuyerError(ExitCode.usage, 'no-wallet', `${dir} holds no wallet`);
  const secret = readIfThere(keyPath(dir))?.trim() ?? protection.passphrase;
  if (secret === undefined || secret === '') {
    const message = `${path} is encrypted: give its passphrase, or put back ${keyPath(dir)} if it had one`;
    throw new BuyerError(ExitCode.usage, 'passphrase-needed', message);
  }
  const opened = openSeed(sealed, secret);
  if (!opened.ok) throw new BuyerError(ExitCode.failed, opened.code, `${path} can't be opened: ${opened.code}`);
  return mnemonicOf(opened.seed);
}

/** The passphrase, or the key file's content; the key file is on disk before a seed depends on it. */
function secretFor(dir: string, { passphrase }: SeedProtection): string {
  if (passphrase !== undefined && passphrase !== '') return passphrase;
  const known = readIfThere(keyPath(dir))?.trim();
  if (known !== undefined && known !== '') return known;
  const secret = randomBytes(KEY_FILE_BYTES).toString('hex');
  writeDurably(keyPath(dir), `${secret}\n`);
  return secret;
}

function seedPath(dir: string): string {
  return join(dir, 'seed.json');
}

function keyPath(dir: string): string {
  return join(dir, 'seed.key');
}
