import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adviseOnPrice, policyWith, type AdviceFacts } from './index.js';

const policy = policyWith();
const facts: AdviceFacts = {
  pieces: 987,
  bids: [],
  currentPriceSat: 7n,
  defaultPriceSat: 7n,
  settlementFeeSat: 434n,
  sweepCostSat: 148n,
  speedTestsAnswered: 0n,
  lostAfterSpeedTest: 0n,
  joined: 0n,
  lostAfterJoin: 0n,
};
const bid = (priceSat: bigint, buyers: bigint) => ({ priceSat, buyers });

describe('advice on a price', () => {
  test('is the default until there are bids to learn from', () => {
    const few = adviseOnPrice({ ...facts, currentPriceSat: 20n, bids: [bid(9n, 3n)] }, policy);
    expect(few).toMatchObject({ priceSat: 7n, reasons: ['too-few-bids'], bids: 3n, acceptedBids: 3n, acceptedNow: 0n });
  });

  test('follows what brings most: many at 7 before few at 9, and few at 90 before many at 7', () => {
    expect(adviseOnPrice({ ...facts, bids: [bid(7n, 90n), bid(9n, 10n)] }, policy).priceSat).toBe(7n);
    const rich = adviseOnPrice({ ...facts, bids: [bid(7n, 90n), bid(90n, 10n)] }, policy);
    expect(rich).toMatchObject({ priceSat: 90n, acceptedBids: 10n, acceptedNow: 100n, reasons: ['best-for-bids'] });
    expect(rich.expectedNetSat).toBe(10n * (987n * 90n - 582n));
    expect(rich.expectedNetNowSat).toBe(100n * (987n * 7n - 582n));
  });

  test('says when no bid pays for its settlement, and when it is not the price that loses buyers', () => {
    expect(adviseOnPrice({ ...facts, bids: [bid(1n, 50n)] }, policy)).toMatchObject({
      priceSat: 7n,
      reasons: ['bids-below-cost'],
    });
    const losing = { speedTestsAnswered: 20n, lostAfterSpeedTest: 11n, joined: 10n, lostAfterJoin: 6n };
    expect(adviseOnPrice({ ...facts, ...losing, bids: [bid(7n, 20n)] }, policy).reasons).toEqual([
      'best-for-bids',
      'loses-speed-tests',
      'loses-after-joining',
    ]);
  });

  test('never expects less of its suggestion than of the present price, once it has learnt', () => {
    const anyBids = fc.array(fc.record({ priceSat: fc.bigInt(0n, 500n), buyers: fc.bigInt(1n, 50n) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(anyBids, fc.bigInt(1n, 600n), fc.integer({ min: 1, max: 5_000 }), (bids, currentPriceSat, pieces) => {
        const advice = adviseOnPrice({ ...facts, pieces, bids, currentPriceSat }, policy);
        const learnt = !advice.reasons.includes('too-few-bids');
        expect(advice.acceptedBids <= advice.bids && advice.priceSat > 0n).toBe(true);
        if (learnt) expect(advice.expectedNetSat >= advice.expectedNetNowSat).toBe(true);
      }),
    );
  });
});
