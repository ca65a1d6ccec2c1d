import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { createReadStream, createWriteStream, openSync, closeSync, readSync, fsyncSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/*
 * One file of a backup: lines of text, compressed, and encrypted with AES-256-GCM where a passphrase was given. Encrypted:
 * a nonce of 12 bytes, the ciphertext, a tag of 16.
 */

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** As the seed file's. */
const SCRYPT = { N: 32_768, r: 8, p: 1, maxmem: 256 * 32_768 * 8 };

/** The key of a backup's files. */
export function backupKey(passphrase: Uint8Array, salt: string): Uint8Array {
  return scryptSync(passphrase, Buffer.from(salt, 'hex'), 32, SCRYPT);
}

/** Writes a file and flushes it. */
export async function writePart(path: string, lines: AsyncIterable<string>, key: Uint8Array | null): Promise<void> {
  const text = Readable.from(withNewlines(lines), { objectMode: true });
  if (key === null) {
    await pipeline(text, createGzip(), createWriteStream(path, { mode: 0o600 }));
  } else {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const framed = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      yield nonce;
      yield* source;
      yield cipher.getAuthTag();
    };
    await pipeline(text, createGzip(), cipher, framed, createWriteStream(path, { mode: 0o600 }));
  }
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** The lines of a file. Throws at its end where it was not written with this key, or was changed. */
export async function* readPart(path: string, key: Uint8Array | null): AsyncGenerator<string> {
  const { size } = statSync(path);
  const plain =
    key === null
      ? createReadStream(path)
      : createReadStream(path, { start: NONCE_BYTES, end: size - TAG_BYTES - 1 }).pipe(decipher(path, size, key));
  const unzipped = createGunzip();
  const flowing = pipeline(plain, unzipped);
  // Reported by the loop below; without a listener it would end the process.
  flowing.catch(() => undefined);
  for await (const line of createInterface({ input: unzipped, crlfDelay: Infinity })) yield line;
  await flowing;
}

function decipher(path: string, size: number, key: Uint8Array) {
  const file = openSync(path, 'r');
  try {
    const nonce = Buffer.alloc(NONCE_BYTES);
    const tag = Buffer.alloc(TAG_BYTES);
    readSync(file, nonce, 0, NONCE_BYTES, 0);
    readSync(file, tag, 0, TAG_BYTES, size - TAG_BYTES);
    return createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag);
  } finally {
    closeSync(file);
  }
}

/** SHA-256 of a file as it lies there. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function* withNewlines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
