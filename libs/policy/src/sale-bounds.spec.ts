import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  breakEvenRateSatPerKvb,
  policyWith,
  saleEconomics,
  settlementFeeSat,
  smallestSensiblePieces,
  sweepCostSat,
} from './index.js';

const policy = policyWith();
const sale = fc.record({
  pieces: fc.integer({ min: 1, max: 500_000 }),
  priceSat: fc.bigInt({ min: 1n, max: 100_000n }),
});
const at = (rate: bigint) => ({ sixBlockSatPerKvb: rate, median24hSatPerKvb: rate, quiet24hSatPerKvb: rate });

test('at the break-even rate a complete sale pays for itself, and one step above it does not', () => {
  fc.assert(
    fc.property(sale, (s) => {
      const rate = breakEvenRateSatPerKvb(s, policy);
      const net = (r: bigint) => saleEconomics({ ...s, pieceLengthBytes: 1 }, at(r), policy)?.netSat ?? -1n;
      if (rate === null) return net(1n) < 0n;
      return net(rate) >= 0n && (rate === 1_000_000_000n || net(rate + 1n) < 0n);
    }),
  );
});

test('a fixed settlement fee moves it only by the sweep', () => {
  expect(breakEvenRateSatPerKvb({ pieces: 987, priceSat: 7n }, policy, 450n)).toBe(43_641n);
  expect(breakEvenRateSatPerKvb({ pieces: 10, priceSat: 7n }, policy, 450n)).toBeNull();
});

test('the smallest sensible sale is collectable and within the share, and one piece less is not', () => {
  fc.assert(
    fc.property(sale, fc.bigInt({ min: 1n, max: 100_000n }), (s, rate) => {
      const fee = settlementFeeSat(at(rate), policy);
      const sweep = sweepCostSat(at(rate), policy);
      const sensible = (k: number) => {
        const gross = BigInt(k) * s.priceSat;
        return gross > 546n + fee && (fee + sweep) * 100n <= gross * policy.joinGate.maxFeeSharePercent;
      };
      const k = smallestSensiblePieces({ ...s, settlementFeeSat: fee, sweepCostSat: sweep }, policy);
      return k === null ? !sensible(s.pieces) : sensible(k) && (k === 1 || !sensible(k - 1));
    }),
  );
});
