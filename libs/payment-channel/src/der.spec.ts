import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DER_BYTES, derSignature, fromHex, parseDerSignature, toHex } from './index.js';

const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const HALF_ORDER = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0';
const ONE = '01'.padStart(64, '0');

const code = (hex: string) => {
  const result = parseDerSignature(fromHex(hex));
  return result.ok ? 'ok' : result.code;
};
const der = (r: string, s: string) => toHex(derSignature(fromHex(r + s)));

describe('strict DER', () => {
  test.each([
    ['', 'not-strict-der', 'empty'],
    ['3006020101020101', 'ok', 'shortest'],
    ['300602010102010100', 'not-strict-der', 'trailing byte'],
    ['3007020101020101', 'not-strict-der', 'outer length too long'],
    ['3106020101020101', 'not-strict-der', 'outer tag'],
    ['3006030101020101', 'not-strict-der', 'tag of R'],
    ['3006020101030101', 'not-strict-der', 'tag of S'],
    ['300702020001020101', 'not-strict-der', 'padded R'],
    ['300702010102020001', 'not-strict-der', 'padded S'],
    ['3006020181020101', 'not-strict-der', 'negative R'],
    ['3006020101020181', 'not-strict-der', 'negative S'],
    ['30060200020200ff', 'not-strict-der', 'empty R'],
    ['3007020200ff020101', 'ok', 'R with its sign byte'],
    ['3006020102020500', 'not-strict-der', 'S beyond the end'],
    ['308106020101020101', 'not-strict-der', 'long form length'],
    ['3006020100020101', 'r-or-s-out-of-range', 'R zero'],
    ['3006020101020100', 'r-or-s-out-of-range', 'S zero'],
    [der(ORDER, ONE), 'r-or-s-out-of-range', 'R = n'],
    [der(ONE, ORDER), 'r-or-s-out-of-range', 'S = n'],
    [der(ONE, HALF_ORDER), 'ok', 'S = n/2, the largest low one'],
    [der(ONE, HALF_ORDER.replace(/a0$/, 'a1')), 'high-s', 'S = n/2 + 1'],
    ['302602217f' + '11'.repeat(32) + '020101', 'r-or-s-out-of-range', 'R of 33 digits'],
  ])('%s is %s: %s', (hex, verdict) => expect(code(hex)).toBe(verdict));

  test('what it accepts encodes to the same bytes', () => {
    const scalar = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(scalar, scalar, (r, s) => {
        s[0]! &= 0x3f;
        const bytes = derSignature(Uint8Array.of(...r, ...s));
        const parsed = parseDerSignature(bytes);
        return parsed.ok ? toHex(derSignature(parsed.compact)) === toHex(bytes) : parsed.code === 'r-or-s-out-of-range';
      }),
    );
  });

  test('no byte string makes it throw, and every accepted one is canonical', () => {
    const base = derSignature(fromHex(HALF_ORDER + HALF_ORDER));
    const mutated = fc
      .tuple(fc.nat(base.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(4))
      .map(([at, byte, extra]) =>
        Uint8Array.of(...base.slice(0, at), byte, ...base.slice(at + 1), ...Array(extra).fill(0)),
      );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: MAX_DER_BYTES + 8 }), mutated), (bytes) => {
        const parsed = parseDerSignature(bytes);
        return !parsed.ok || toHex(derSignature(parsed.compact)) === toHex(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
