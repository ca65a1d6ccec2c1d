import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './token-bucket.js';

describe('token buckets', () => {
  it('lets a burst pass, then one per interval, and says when', () => {
    const buckets = new TokenBuckets({ perSecond: 2, burst: 3 }, 10);
    expect([1, 2, 3].map(() => buckets.take('a', 0).remaining)).toEqual([2, 1, 0]);
    expect(buckets.take('a', 0)).toEqual({ waitMs: 500, remaining: 0 });
    expect(buckets.take('a', 499).waitMs).toBeGreaterThan(0);
    expect(buckets.take('a', 1_000)).toEqual({ waitMs: 0, remaining: 1 });
  });

  it('counts each key by itself and is not moved by a clock that goes back', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10);
    expect(buckets.take('a', 5_000).waitMs).toBe(0);
    expect(buckets.take('b', 5_000).waitMs).toBe(0);
    expect(buckets.take('a', 1_000).waitMs).toBeGreaterThan(0);
  });

  it('holds no more keys than its bound, forgetting the longest unused', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 2);
    buckets.take('a', 0);
    buckets.take('b', 0);
    buckets.take('a', 0);
    buckets.take('c', 0);
    expect(buckets.take('a', 0).waitMs).toBeGreaterThan(0);
    expect(buckets.take('b', 0).waitMs).toBe(0);
  });
});
