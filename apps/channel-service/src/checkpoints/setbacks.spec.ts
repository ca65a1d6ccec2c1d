import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Setbacks } from './setbacks.js';

it('tries a bad row again for ever, with pauses that grow to two minutes, and counts it meanwhile', () => {
  const setbacks = new Setbacks();
  let nowMs = 0;
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 10; attempt += 1) {
    setbacks.failed('a', 'row-corrupt', nowMs);
    const failedAt = nowMs;
    while (setbacks.waiting(nowMs).includes('a')) nowMs += 1_000;
    pauses.push(nowMs - failedAt);
    expect(setbacks.failing(nowMs)).toEqual(new Map([['row-corrupt', 1]]));
  }
  expect(pauses).toEqual([4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000, 120_000, 120_000]);
  setbacks.succeeded('a');
  expect([setbacks.waiting(nowMs), setbacks.failing(nowMs).size]).toEqual([[], 0]);
});

it('does not count what is only too early, nor what is not asked for any more', () => {
  const setbacks = new Setbacks();
  setbacks.postponed('early', 0);
  setbacks.failed('gone', 'failed', 0);
  expect([setbacks.waiting(1).sort(), setbacks.failing(1)]).toEqual([['early', 'gone'], new Map([['failed', 1]])]);
  expect(setbacks.failing(200_000).size).toBe(0);
});

it('holds no row longer than two minutes, and no more than a thousand, whatever fails', () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 3_000 }), early: fc.boolean(), afterMs: fc.nat(3_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4_000, minLength: 1_500 }), (steps) => {
      const setbacks = new Setbacks();
      let nowMs = 0;
      for (const { id, early, afterMs } of steps) {
        if (early) setbacks.postponed(`${id}`, nowMs);
        else setbacks.failed(`${id}`, 'failed', nowMs);
        nowMs += afterMs;
      }
      expect(setbacks.waiting(nowMs).length).toBeLessThanOrEqual(1_000);
      expect(setbacks.waiting(nowMs + 120_000)).toEqual([]);
    }),
    { numRuns: 20 },
  );
});
