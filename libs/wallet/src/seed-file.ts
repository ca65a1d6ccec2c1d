import { createCipheriv, createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { fromHex, toHex } from '@seedfleet/payment-channel';

/**
 * The seed at rest: encrypted with AES-256-GCM under a key that scrypt makes from a passphrase or from the content of a
 * key file. The file is JSON; everything outside the ciphertext is authenticated with it. Randomness is passed in.
 */

/** scrypt cost: 2^15 blocks of 1 KiB, about 0.1 s and 32 MiB. */
const SCRYPT = { n: 32_768, r: 8, p: 1 } as const;

/** A file that asks for more than this is refused: it would only be there to stall the start. */
const MAX_SCRYPT_N = 2 ** 20;
const MAX_SCRYPT_R = 32;
const MAX_SCRYPT_P = 16;

/** Salt and nonce. */
export const SEED_FILE_RANDOM_BYTES = 32 + 12;

/** Larger files are not seed files. */
export const MAX_SEED_FILE_BYTES = 4096;

const FORMAT = 'seedfleet-seed';

/** The file's content. Bytes are hex. */
interface SeedFile {
  readonly format: typeof FORMAT;
  readonly version: 1;
  readonly kdf: {
    readonly name: 'scrypt';
    readonly n: number;
    readonly r: number;
    readonly p: number;
    readonly salt: string;
  };
  readonly cipher: { readonly name: 'aes-256-gcm'; readonly nonce: string; readonly tag: string };
  readonly ciphertext: string;
}

export type SeedFileError =
  /** Not JSON of this format, or fields are missing or of the wrong size. */
  | 'seed-file-malformed'
  /** Of this format, but written by a later version. */
  | 'seed-file-version-unknown'
  /** Asks for a key derivation beyond the bounds. */
  | 'seed-file-too-costly'
  /** The passphrase or key file is another one, or the file was changed: the two can't be told apart. */
  | 'wrong-passphrase-or-corrupt';

export type OpenedSeed =
  { readonly ok: true; readonly seed: Uint8Array } | { readonly ok: false; readonly code: SeedFileError };

/**
 * The text of a seed file.
 * @param seed 16…64 bytes.
 * @param secret passphrase, or the bytes of a key file; not empty.
 * @param random `SEED_FILE_RANDOM_BYTES` fresh random bytes.
 */
export function sealSeed(seed: Uint8Array, secret: string | Uint8Array, random: Uint8Array): string {
  if (seed.length < 16 || seed.length > 64) throw new RangeError('a seed has 16 to 64 bytes');
  if (random.length !== SEED_FILE_RANDOM_BYTES) throw new RangeError('wrong amount of randomness');
  if (secret.length === 0) throw new RangeError('an empty passphrase protects nothing');
  const kdf = { name: 'scrypt', ...SCRYPT, salt: toHex(random.subarray(0, 32)) } as const;
  const nonce = random.subarray(32);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, kdf), nonce);
  cipher.setAAD(authenticated(kdf));
  const ciphertext = toHex(Uint8Array.from([...cipher.update(seed), ...cipher.final()]));
  const file: SeedFile = {
    format: FORMAT,
    version: 1,
    kdf,
    cipher: { name: 'aes-256-gcm', nonce: toHex(nonce), tag: toHex(cipher.getAuthTag()) },
    ciphertext,
  };
  return JSON.stringify(file, null, 2) + '\n';
}

/** The seed of a file, or why it can't be had. Never throws for what the file holds. */
export function openSeed(text: string, secret: string | Uint8Array): OpenedSeed {
  const file = parse(text);
  if (typeof file === 'string') return { ok: false, code: file };
  const { kdf, cipher, ciphertext } = file;
  if (kdf.n > MAX_SCRYPT_N || kdf.r > MAX_SCRYPT_R || kdf.p > MAX_SCRYPT_P) {
    return { ok: false, code: 'seed-file-too-costly' };
  }
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, kdf), fromHex(cipher.nonce));
  decipher.setAAD(authenticated(kdf));
  decipher.setAuthTag(fromHex(cipher.tag));
  try {
    return { ok: true, seed: Uint8Array.from([...decipher.update(fromHex(ciphertext)), ...decipher.final()]) };
  } catch {
    // GCM says no more than that authentication failed.
    return { ok: false, code: 'wrong-passphrase-or-corrupt' };
  }
}

function keyOf(secret: string | Uint8Array, { n, r, p, salt }: Omit<SeedFile['kdf'], 'name'>): Uint8Array {
  // Normalised, so that the same passphrase typed on another keyboard is the same bytes.
  const bytes = typeof secret === 'string' ? secret.normalize('NFKC') : secret;
  return scryptSync(bytes, fromHex(salt), 32, { N: n, r, p, maxmem: 256 * n * r });
}

function authenticated(kdf: SeedFile['kdf']): Uint8Array {
  return new TextEncoder().encode(`${FORMAT} 1 scrypt ${kdf.n} ${kdf.r} ${kdf.p} ${kdf.salt}`);
}

function parse(text: string): SeedFile | 'seed-file-malformed' | 'seed-file-version-unknown' {
  if (text.length > MAX_SEED_FILE_BYTES) return 'seed-file-malformed';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'seed-file-malformed';
  }
  if (!isRecord(json) || json['format'] !== FORMAT) return 'seed-file-malformed';
  if (json['version'] !== 1) return 'seed-file-version-unknown';
  return isSeedFile(json) ? json : 'seed-file-malformed';
}

function isSeedFile(json: Record<string, unknown>): json is Record<string, unknown> & SeedFile {
  const { kdf, cipher, ciphertext } = json;
  if (!isRecord(kdf) || !isRecord(cipher)) return false;
  const cost = [kdf['n'], kdf['r'], kdf['p']].every((value) => Number.isSafeInteger(value) && Number(value) >= 1);
  const n = Number(kdf['n']);
  return (
    kdf['name'] === 'scrypt' &&
    cost &&
    n >= 2 &&
    Number.isInteger(Math.log2(n)) &&
    isHex(kdf['salt'], 16, 64) &&
    cipher['name'] === 'aes-256-gcm' &&
    isHex(cipher['nonce'], 12, 12) &&
    isHex(cipher['tag'], 16, 16) &&
    isHex(ciphertext, 16, 64)
  );
}

function isHex(value: unknown, minBytes: number, maxBytes: number): value is string {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(value)) return false;
  return value.length >= 2 * minBytes && value.length <= 2 * maxBytes;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A fingerprint of a seed that tells nothing about it: 16 hex digits of a tagged hash. */
export function seedId(seed: Uint8Array): string {
  return createHash('sha256').update('seedfleet seed id').update(seed).digest('hex').slice(0, 16);
}

/** 32 bytes for keyed hashes of peers' addresses: without the seed nobody can try all addresses against a stored hash. */
export function addressHashKey(seed: Uint8Array): Uint8Array {
  return createHash('sha256').update('seedfleet address hashes').update(seed).digest();
}
