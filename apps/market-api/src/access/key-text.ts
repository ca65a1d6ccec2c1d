import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** 256 bits of randomness: a plain hash is enough to store it, since it can't be guessed. */
const SECRET_BYTES = 32;
const PREFIX = 'sfk_';
const KEY_TEXT = /^sfk_[A-Za-z0-9_-]{43}$/;

/** A fresh key: shown once to its owner, while the database keeps only id and hash. */
export function newApiKey(): { id: string; text: string; hash: Uint8Array<ArrayBuffer> } {
  const text = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  return { id: randomUUID(), text, hash: hashApiKey(text) };
}

export function isApiKeyText(text: string): boolean {
  return KEY_TEXT.test(text);
}

/** SHA-256 of the key's text. */
export function hashApiKey(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

/** The key of an `Authorization: Bearer` header, or undefined when there is none or it can't be one of ours. */
export function bearerKey(header: string | undefined): string | undefined {
  const match = header === undefined ? null : /^Bearer +([^\s]{1,200})$/i.exec(header);
  const text = match?.[1];
  return text !== undefined && isApiKeyText(text) ? text : undefined;
}
