import { describe, expect, it } from 'vitest';
import { SlidingMedian } from './day-median.js';

describe('SlidingMedian', () => {
  it('is undefined without samples and the upper middle otherwise', () => {
    const median = new SlidingMedian(100, 10);
    expect(median.median()).toBeUndefined();
    for (const [index, value] of [5n, 1n, 9n, 3n].entries()) median.add(value, index);
    expect(median.median()).toBe(5n);
    expect([median.quantile(1, 4), median.quantile(3, 4)]).toEqual([3n, 9n]);
  });

  it('forgets what is older than its span or beyond its bound', () => {
    const median = new SlidingMedian(100, 3);
    median.add(1_000n, 0);
    median.add(2n, 150);
    expect(median.median()).toBe(2n);
    for (const value of [7n, 8n, 9n]) median.add(value, 160);
    expect(median.median()).toBe(8n);
  });
});
