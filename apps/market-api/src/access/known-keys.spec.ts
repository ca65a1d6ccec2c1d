import { expect, it } from 'vitest';
import { KNOWN_MS, KnownKeys } from './known-keys.js';

const key = { id: 'a', name: 'a', scopes: [], revokedAt: null, expiresAt: null };

it('knows a key for a moment, and no longer than until one is revoked', () => {
  const keys = new KnownKeys();
  keys.asking('x')(key, 0);
  expect(keys.get('x', KNOWN_MS - 1)).toBe(key);
  expect(keys.get('x', KNOWN_MS)).toBeUndefined();
  keys.forget();
  expect(keys.get('x', 1)).toBeUndefined();
});

it('keeps no answer that the database may have given before a key was revoked', () => {
  const keys = new KnownKeys();
  const keep = keys.asking('x');
  keys.forget();
  keep(key, 0);
  expect(keys.get('x', 1)).toBeUndefined();
});

it('is bounded', () => {
  const keys = new KnownKeys();
  for (let each = 0; each < 5_000; each += 1) keys.asking(String(each))(key, 0);
  expect(Array.from({ length: 5_000 }, (_, each) => keys.get(String(each), 1)).filter(Boolean)).toHaveLength(1_000);
  expect(keys.get('4999', 1)).toBe(key);
});
