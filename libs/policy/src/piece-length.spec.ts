import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sensiblePieceLength } from './piece-length.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

it.each([
  [1, 16 * KIB],
  [123 * MIB, 128 * KIB],
  [GIB, MIB],
  [10 * GIB, 8 * MIB],
  [50 * GIB, 8 * MIB],
  [1024 * GIB, 16 * MIB],
])('%d bytes come in pieces of %d', (total, length) => {
  expect(sensiblePieceLength(total)).toBe(length);
});

it('gives powers of two that grow with the content, and never too many pieces', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 * 1024 * GIB }), fc.nat(GIB), (total, more) => {
      const length = sensiblePieceLength(total);
      expect(Math.log2(length) % 1).toBe(0);
      expect(sensiblePieceLength(total + more)).toBeGreaterThanOrEqual(length);
      expect(Math.ceil(total / length)).toBeLessThanOrEqual(100_000);
    }),
  );
});
