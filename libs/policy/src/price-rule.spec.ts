import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PRICE_RULE, milliSatPerMib, priceByRule, pricePerPieceSat, type PriceMode } from './index.js';

const MIB = 2n ** 20n;
const torrent = fc.record({
  pieceLengthBytes: fc.oneof(
    fc.integer({ min: 14, max: 26 }).map((bits) => 2 ** bits),
    fc.integer({ min: 1024, max: 2 ** 26 }),
  ),
  pieces: fc.integer({ min: 1, max: 800_000 }),
});
const mode = fc.constantFrom<PriceMode>('piece', 'mib', 'formula');
const rate = fc.bigInt({ min: 1n, max: 10n ** 9n });
const multiplier = fc.bigInt({ min: 1n, max: 1_000_000n });

describe('the price by a rule', () => {
  test('at the rate of default clients is theirs exactly', () => {
    fc.assert(fc.property(torrent, (t) => priceByRule(DEFAULT_PRICE_RULE, t) === pricePerPieceSat(t)));
  });

  test('is at least a satoshi, and never falls when rate or tier rise', () => {
    const property = fc.property(mode, torrent, rate, rate, multiplier, multiplier, (m, t, r, more, x, xMore) => {
      const price = priceByRule({ mode: m, rateMilliSat: r }, t, x);
      return price >= 1n && priceByRule({ mode: m, rateMilliSat: r + more }, t, x + xMore) >= price;
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test('per MiB pays the rate at least, and less than a satoshi per piece more', () => {
    const property = fc.property(torrent, rate, multiplier, (t, rateMilliSat, x) => {
      const priceSat = priceByRule({ mode: 'mib', rateMilliSat }, t, x);
      const scale = 1000n * MIB * 1000n;
      const due = rateMilliSat * BigInt(t.pieceLengthBytes) * x;
      expect(priceSat * scale >= due && (priceSat - 1n) * scale < due).toBe(true);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test('per piece is the rate itself, rounded up', () => {
    expect(priceByRule({ mode: 'piece', rateMilliSat: 7000n }, { pieceLengthBytes: 1, pieces: 1 })).toBe(7n);
    expect(priceByRule({ mode: 'piece', rateMilliSat: 7001n }, { pieceLengthBytes: 1, pieces: 1 })).toBe(8n);
    expect(priceByRule({ mode: 'piece', rateMilliSat: 7000n }, { pieceLengthBytes: 1, pieces: 1 }, 2000n)).toBe(14n);
  });

  test('below the rate of default clients is always accepted by them', () => {
    const cheaper = fc.bigInt({ min: 1n, max: 2000n });
    fc.assert(
      fc.property(torrent, cheaper, fc.bigInt({ min: 1n, max: 1000n }), (t, rateMilliSat, x) => {
        return priceByRule({ mode: 'formula', rateMilliSat }, t, x) <= pricePerPieceSat(t);
      }),
    );
  });

  test('needs a positive rate', () => {
    expect(() => priceByRule({ mode: 'piece', rateMilliSat: 0n }, { pieceLengthBytes: 1, pieces: 1 })).toThrow(
      RangeError,
    );
  });
});

test('the price of a MiB that lists are sorted by is exact but for the last thousandth', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 12n }), torrent, (priceSat, { pieceLengthBytes }) => {
      const milli = milliSatPerMib(priceSat, pieceLengthBytes);
      const difference = priceSat * MIB * 1000n - milli * BigInt(pieceLengthBytes);
      return difference >= 0n && difference < BigInt(pieceLengthBytes);
    }),
  );
});
