import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { satPerMib } from './price-per-size.js';
import { saleVerdict } from './sale-verdict.js';
import { effectiveOffer, type StoredOffer } from './terms-of-sale.js';

const KIB = 1024;
const sintel = { pieceLength: 128 * KIB, pieceCount: 987 };
const noFees = { estimates: {} };

const offer = (over: Partial<StoredOffer>): StoredOffer => ({
  version: 1,
  priceSat: null,
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: null,
  maxSellers: null,
  freeBytesPerDay: null,
  freeBytesPerPeerDay: null,
  ...over,
});

describe('terms of sale', () => {
  // The bundled examples of client behaviour §2.
  it.each([
    [128, 987, 7n],
    [256, 1055, 6n],
    [512, 382, 15n],
    [256, 105, 49n],
  ])('price %i KiB × %i pieces like default clients', (kib, pieceCount, priceSat) => {
    const terms = effectiveOffer({ pieceLength: kib * KIB, pieceCount }, null);
    expect(terms).toEqual({
      version: 0,
      priceSat,
      lockUnits: null,
      settlementFeeSat: null,
      minContractFeePerKbSat: 1_024n,
      maxSellers: 5,
      freeTier: null,
    });
  });

  it('take from the offer what it sets and the default for the rest', () => {
    expect(effectiveOffer(sintel, offer({ version: 3, priceSat: 5n, maxSellers: 2 }))).toMatchObject({
      version: 3,
      priceSat: 5n,
      maxSellers: 2,
      minContractFeePerKbSat: 1_024n,
    });
  });

  it('give nothing away unless both limits are set', () => {
    expect(effectiveOffer(sintel, offer({ freeBytesPerDay: 9n })).freeTier).toBeNull();
    const free = offer({ freeBytesPerDay: 9n, freeBytesPerPeerDay: 4n });
    expect(effectiveOffer(sintel, free).freeTier).toEqual({ bytesPerDay: 9, bytesPerPeerDay: 4 });
  });
});

describe('the verdict on a sale', () => {
  it('is good at default terms, and default buyers accept them', () => {
    const verdict = saleVerdict(sintel, effectiveOffer(sintel, null), noFees);
    expect(verdict).toMatchObject({
      totalSat: 6_909n,
      settlementFeeSat: 434n,
      kMin: 141,
      netSat: 6_909n - 434n - 148n,
      defaultBuyerObjections: [],
      declined: null,
      refusedNow: null,
    });
  });

  it('declines what could never pay for its settlement, whatever the fees', () => {
    const tiny = { pieceLength: 16 * KIB, pieceCount: 4 };
    const verdict = saleVerdict(tiny, effectiveOffer(tiny, offer({ priceSat: 10n })), noFees);
    expect(verdict.declined).toMatch(/settling costs/);
    const late = saleVerdict(sintel, effectiveOffer(sintel, offer({ settlementFeeSat: 1_500n })), noFees);
    expect(late.declined).toBe('the first 292 of 987 pieces would earn nothing collectable (limit 198)');
  });

  it('only warns where fees are high today', () => {
    const dear = { settlementFeeSat: 3_000n, estimates: { sixBlockSatPerKvb: 7_000n } };
    const verdict = saleVerdict(sintel, effectiveOffer(sintel, null), dear);
    expect(verdict.declined).toBeNull();
    expect(verdict.refusedNow).not.toBeNull();
  });

  it('names everything a default buyer objects to', () => {
    const terms = effectiveOffer(sintel, offer({ priceSat: 8n, lockUnits: 21, minContractFeePerKbSat: 1_025n }));
    expect(saleVerdict(sintel, terms, noFees).defaultBuyerObjections).toEqual([
      'price-above-formula',
      'lock-too-long',
      'contract-fee-too-high',
    ]);
    const hidden = { pieceLength: 16 * KIB, pieceCount: 5_000 };
    expect(saleVerdict(hidden, effectiveOffer(hidden, null), noFees).defaultBuyerObjections).toContain(
      'hidden-by-clients',
    );
  });
});

describe('the price per MiB', () => {
  it('is exact to three places', () => {
    expect(satPerMib(7n, 128 * KIB)).toBe('56.000');
    expect(satPerMib(1n, 3 * 1024 * KIB)).toBe('0.333');
    expect(satPerMib(2n, 3 * 1024 * KIB)).toBe('0.667');
  });

  it('never differs from the true price by more than half of the last place', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 12n), fc.integer({ min: 1024, max: 1 << 26 }), (price, length) => {
        const thousandths = BigInt(satPerMib(price, length).replace('.', ''));
        const difference = thousandths * BigInt(length) - price * (1n << 20n) * 1_000n;
        expect(2n * (difference < 0n ? -difference : difference) <= BigInt(length)).toBe(true);
      }),
    );
  });
});
