import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalFromSat, satFromDecimal } from './amounts.js';

describe('satFromDecimal', () => {
  it.each([
    ['0.30000000', 30_000_000n],
    ['0.29000000', 29_000_000n],
    ['20999999.99999999', 2_099_999_999_999_999n],
    ['20999999.97690000', 2_099_999_997_690_000n],
    ['1', 100_000_000n],
    ['0', 0n],
    ['-0.00000001', -1n],
    ['1e-8', 1n],
    ['2.25e-6', 225n],
    ['0.000000010', 1n],
  ])('%s bitcoin is %s satoshi', (text, sat) => {
    expect(satFromDecimal(text)).toBe(sat);
  });

  it('adds exactly where doubles do not', () => {
    expect((satFromDecimal('0.1') ?? 0n) + (satFromDecimal('0.2') ?? 0n)).toBe(satFromDecimal('0.3'));
  });

  it.each(['0.000000001', '1e-9', '', '.5', '1.', 'NaN', '0x10', '1,5', ' 1', '1e400', '12345678901234567'])(
    'refuses %j instead of rounding or guessing',
    (text) => {
      expect(satFromDecimal(text)).toBeUndefined();
    },
  );

  it('is the inverse of decimalFromSat for every amount', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -2_100_000_000_000_000n, max: 2_100_000_000_000_000n }), (sat) => {
        expect(satFromDecimal(decimalFromSat(sat))).toBe(sat);
      }),
    );
  });
});
