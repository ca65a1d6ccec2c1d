import { describe, expect, it } from 'vitest';
import { ExpiringCache } from './expiring-cache.js';

describe('the cache', () => {
  it('computes once per key and age, also for callers that come meanwhile', async () => {
    const cache = new ExpiringCache<number>(1_000, 10);
    let computed = 0;
    const compute = () => Promise.resolve(++computed);
    expect(await Promise.all([cache.get('a', 0, compute), cache.get('a', 0, compute)])).toEqual([1, 1]);
    expect(await cache.get('a', 999, compute)).toBe(1);
    expect(await cache.get('a', 1_000, compute)).toBe(2);
  });

  it('does not keep a failure', async () => {
    const cache = new ExpiringCache<number>(1_000, 10);
    await expect(cache.get('a', 0, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('a', 1, () => Promise.resolve(7))).toBe(7);
  });

  it('never holds more than its bound', async () => {
    const cache = new ExpiringCache<string>(1_000, 2);
    for (const key of ['a', 'b', 'c']) await cache.get(key, 0, () => Promise.resolve(`first ${key}`));
    expect(await cache.get('c', 1, () => Promise.resolve('again'))).toBe('first c');
    expect(await cache.get('a', 1, () => Promise.resolve('again'))).toBe('again');
  });
});
