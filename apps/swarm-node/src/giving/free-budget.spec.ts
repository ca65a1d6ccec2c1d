import fc from 'fast-check';
import { expect, it } from 'vitest';
import { originOf } from '../limits/origin.js';
import { FreeBudget } from './free-budget.js';

const DAY_MS = 86_400_000;
const tier = { bytesPerDay: 100, bytesPerPeerDay: 30 };
const v4 = originOf('198.51.100.7', false);

it('never gives more than the caps in a day, whoever asks and whatever the clock does', () => {
  const ask = fc.record({
    torrent: fc.constantFrom('a', 'b'),
    host: fc.integer({ min: 1, max: 9 }),
    bytes: fc.integer({ min: 1, max: 40 }),
    laterMs: fc.integer({ min: -DAY_MS, max: DAY_MS / 2 }),
  });
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 200 }), (asks) => {
      let now = 10 * DAY_MS;
      let latestDay = 10;
      const given = new Map<string, number>();
      const budget = new FreeBudget(() => now);
      for (const { torrent, host, bytes, laterMs } of asks) {
        now += laterMs;
        latestDay = Math.max(latestDay, Math.floor(now / DAY_MS));
        const origin = originOf(`10.0.0.${host}`, false);
        if (budget.take(torrent, origin, tier, bytes) !== 'given') continue;
        for (const [key, cap] of [
          [`${latestDay}/${torrent}`, 100],
          [`${latestDay}/${torrent}/${host}`, 30],
        ] as const) {
          given.set(key, (given.get(key) ?? 0) + bytes);
          expect(given.get(key)).toBeLessThanOrEqual(cap);
        }
      }
    }),
  );
});

it('counts an IPv6 subnet as one peer, and remembers the torrent over a restart of the same day', () => {
  const budget = new FreeBudget(() => 5 * DAY_MS);
  expect(budget.take('a', originOf('2001:db8:1::1', false), tier, 30)).toBe('given');
  expect(budget.take('a', originOf('2001:db8:1:ff::2', false), tier, 1)).toBe('peer-day');
  expect(budget.take('a', v4, tier, 30)).toBe('given');
  const again = new FreeBudget(() => 5 * DAY_MS + 1, budget.given);
  for (const host of [1, 2]) expect(again.take('a', originOf(`10.0.0.${host}`, false), tier, 20)).toBe('given');
  expect(again.take('a', originOf('10.0.0.3', false), tier, 1)).toBe('torrent-day');
  expect(new FreeBudget(() => 6 * DAY_MS, again.given).take('a', v4, tier, 30)).toBe('given');
});

it('serves nobody new once it remembers too many peers', () => {
  const budget = new FreeBudget(() => 0);
  const wide = { bytesPerDay: 1e9, bytesPerPeerDay: 1_000 };
  const at = (n: number) => originOf(`${10 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.1`, false);
  for (let n = 0; n < 50_000; n++) budget.take('a', at(n), wide, 1);
  expect(budget.take('a', at(50_001), wide, 1)).toBe('too-many-peers');
  expect(budget.take('a', at(7), wide, 1)).toBe('given');
});
