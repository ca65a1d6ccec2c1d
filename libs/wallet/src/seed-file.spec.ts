import { describe, expect, test } from 'vitest';
import { SEED_FILE_RANDOM_BYTES, openSeed, sealSeed } from './index.js';

const seed = new Uint8Array(64).map((_, i) => i);
const random = new Uint8Array(SEED_FILE_RANDOM_BYTES).fill(9);
const sealed = sealSeed(seed, 'correct horse', random);

const changed = (path: string, value: unknown): string => {
  const file = JSON.parse(sealed) as Record<string, Record<string, unknown>>;
  const [outer = '', inner] = path.split('.');
  if (inner) file[outer]![inner] = value;
  else (file as Record<string, unknown>)[outer] = value;
  return JSON.stringify(file);
};
const code = (text: string, secret: string | Uint8Array = 'correct horse') => {
  const opened = openSeed(text, secret);
  return opened.ok ? 'ok' : opened.code;
};

describe('seed file', () => {
  test('opens with its passphrase or key file, and does not show the seed', () => {
    expect(openSeed(sealed, 'correct horse')).toEqual({ ok: true, seed });
    const keyFile = new Uint8Array(32).fill(5);
    expect(openSeed(sealSeed(seed.slice(0, 16), keyFile, random), keyFile)).toEqual({
      ok: true,
      seed: seed.slice(0, 16),
    });
    expect(sealed).not.toContain('000102030405');
    // é typed as one character or as two is the same passphrase.
    expect(code(sealSeed(seed, 'caf\u00e9', random), 'cafe\u0301')).toBe('ok');
  });

  test.each([
    ['wrong passphrase', sealed, 'wrong-passphrase-or-corrupt', 'correct horsf'],
    ['changed ciphertext', changed('ciphertext', '00'.repeat(64)), 'wrong-passphrase-or-corrupt', undefined],
    ['shortened ciphertext', changed('ciphertext', '00'.repeat(32)), 'wrong-passphrase-or-corrupt', undefined],
    ['changed salt', changed('kdf.salt', '00'.repeat(32)), 'wrong-passphrase-or-corrupt', undefined],
    ['changed tag', changed('cipher.tag', '00'.repeat(16)), 'wrong-passphrase-or-corrupt', undefined],
    ['changed nonce', changed('cipher.nonce', '00'.repeat(12)), 'wrong-passphrase-or-corrupt', undefined],
    ['later version', changed('version', 2), 'seed-file-version-unknown', undefined],
    ['other format', changed('format', 'x'), 'seed-file-malformed', undefined],
    ['no JSON', 'seed', 'seed-file-malformed', undefined],
    ['empty', '', 'seed-file-malformed', undefined],
    ['huge', ' '.repeat(5000), 'seed-file-malformed', undefined],
    ['cost no power of two', changed('kdf.n', 1000), 'seed-file-malformed', undefined],
    ['cost not a number', changed('kdf.n', '32768'), 'seed-file-malformed', undefined],
    ['cost without end', changed('kdf.n', 2 ** 30), 'seed-file-too-costly', undefined],
    ['parallel without end', changed('kdf.p', 1000), 'seed-file-too-costly', undefined],
    ['short tag', changed('cipher.tag', '0000'), 'seed-file-malformed', undefined],
    ['no cipher', changed('cipher', null), 'seed-file-malformed', undefined],
  ])('%s', (_, text, expected, secret) => expect(code(text, secret)).toBe(expected));

  test('weak arguments are programming errors', () => {
    expect(() => sealSeed(seed, '', random)).toThrow(RangeError);
    expect(() => sealSeed(new Uint8Array(8), 'x', random)).toThrow(RangeError);
    expect(() => sealSeed(seed, 'x', new Uint8Array(12))).toThrow(RangeError);
  });
});
