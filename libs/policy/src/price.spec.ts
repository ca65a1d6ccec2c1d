import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kMin } from '@seedfleet/payment-channel';
import { exactPrice, gateAtJoin, isHiddenByClients, policyWith, pricePerPieceSat } from './index.js';

const KIB = 1024;

/** The formula as clients write it, in doubles. */
function inDoubles(pieceLengthBytes: number, pieces: number, rate: number, fee: number): number {
  const sizeMb = (pieceLengthBytes * pieces) / 2 ** 20;
  return (Math.max(0.2 * sizeMb * rate, 547) + fee) / (0.2 * pieces);
}

describe('price of the torrents bundled with the desktop client', () => {
  // torrent, piece length in KiB, pieces, exact, price, kMin with F = 450
  test.each([
    ['sintel', 128, 987, 5.050658561296859, 7n, 143],
    ['big-buck-bunny', 256, 1055, 4.73, 6n, 167],
    ['cosmos-laundromat', 256, 843, 5.91, 7n, 143],
    ['elephants-dream', 512, 382, 13.05, 15n, 67],
    ['tears-of-steel', 512, 1090, 4.57, 6n, 167],
    ['glass-half-full', 256, 105, 47.48, 49n, 21],
  ] as const)('%s', (_, kib, pieces, exact, price, firstCollectable) => {
    const torrent = { pieceLengthBytes: kib * KIB, pieces };
    const { numerator, denominator } = exactPrice(torrent, 2n, 450n);
    expect(Number(numerator) / Number(denominator)).toBeCloseTo(exact, 2);
    expect(Number(numerator) / Number(denominator)).toBeCloseTo(inDoubles(kib * KIB, pieces, 2, 450), 12);
    expect(pricePerPieceSat(torrent)).toBe(price);
    expect(kMin(price, 450n)).toEqual({ ok: true, k: firstCollectable });
  });
});

const anyTorrent = fc.record({
  pieceLengthBytes: fc.integer({ min: 14, max: 24 }).map((bits) => 2 ** bits),
  pieces: fc.integer({ min: 1, max: 200_000 }),
});

test('never dearer than what clients compute in doubles, and at most one cheaper', () => {
  const rate = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(anyTorrent, rate, fc.integer({ min: 0, max: 20_000 }), (torrent, satPerMb, fee) => {
      const ours = Number(pricePerPieceSat(torrent, BigInt(satPerMb), BigInt(fee)));
      const theirs = Math.ceil(inDoubles(torrent.pieceLengthBytes, torrent.pieces, satPerMb, fee)) + 1;
      return ours <= theirs && ours >= theirs - 1;
    }),
    { numRuns: 5000 },
  );
});

test('the default price passes the gate at join for every torrent while F is at most 450', () => {
  fc.assert(
    fc.property(anyTorrent, fc.bigInt({ min: 347n, max: 450n }), (torrent, settlementFeeSat) => {
      const priceSat = pricePerPieceSat(torrent);
      const sale = { pieces: torrent.pieces, priceSat, settlementFeeSat, sweepCostSat: 148n };
      expect(gateAtJoin(sale, policyWith())).toEqual({ ok: true });
    }),
    { numRuns: 2000 },
  );
});

test('torrents of many tiny pieces are hidden by clients', () => {
  expect(isHiddenByClients({ pieceLengthBytes: 256 * KIB, pieces: 6000 })).toBe(true);
  expect(isHiddenByClients({ pieceLengthBytes: 256 * KIB, pieces: 4500 })).toBe(false);
});

test('nonsense is a programming error', () => {
  expect(() => pricePerPieceSat({ pieceLengthBytes: 1, pieces: 0 })).toThrow(RangeError);
  expect(() => pricePerPieceSat({ pieceLengthBytes: 0, pieces: 1 })).toThrow(RangeError);
});
