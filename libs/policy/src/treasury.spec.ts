import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepBack, planTreasury, policyWith, type SpareCoin } from './index.js';

const policy = policyWith();
const DAY_MS = 86_400_000;
const coins = (count: number, valueSat: bigint, ageMs = 0): SpareCoin[] =>
  Array.from({ length: count }, () => ({ valueSat, ageMs }));
const quiet = { sixBlockSatPerKvb: 1_000n, quiet24hSatPerKvb: 1_000n };
const situation = (of: readonly SpareCoin[], change: object = {}) => ({
  coins: of,
  hotSat: of.reduce((sum, { valueSat }) => sum + valueSat, 0n),
  dayRevenueSat: 0n,
  mempoolMinimumSatPerKvb: 1_000n,
  hasDestination: true,
  byHand: false,
  ...change,
});

describe('what becomes of the coins on payout keys', () => {
  it('waits for 100 of them, a quiet hour, a week or the cap', () => {
    expect(planTreasury(situation(coins(99, 5_000n)), quiet, policy)).toEqual({ kind: 'none', why: 'too-few' });
    expect(
      planTreasury(situation(coins(100, 5_000n, 8 * DAY_MS)), { ...quiet, sixBlockSatPerKvb: 2_000n }, policy),
    ).toEqual({
      kind: 'none',
      why: 'fee-rate-high',
    });
    const enough = coins(20, 20_000n);
    const plan = planTreasury(situation([...enough, ...coins(100, 5_000n)]), quiet, policy);
    expect(plan).toMatchObject({ kind: 'sweep', why: 'outputs', feeSat: 14_853n });
    const old = [...enough, ...coins(2, 5_000n, 8 * DAY_MS)];
    expect(planTreasury(situation(old), quiet, policy)).toMatchObject({ kind: 'sweep', why: 'age' });
    const rich = [...enough, ...coins(30, 100_000n)];
    expect(planTreasury(situation(rich), { ...quiet, sixBlockSatPerKvb: 9_000n }, policy)).toMatchObject({
      kind: 'sweep',
      why: 'over-cap',
    });
  });

  it('makes the coins that children need first', () => {
    const plan = planTreasury(situation(coins(100, 15_000n)), quiet, policy);
    expect(plan).toMatchObject({ kind: 'split', count: 20 });
  });

  it('goes nowhere without a wallet, and by hand only for a fee that is worth it', () => {
    const none = situation(coins(100, 5_000n), { hasDestination: false, byHand: true });
    expect(planTreasury(none, quiet, policy)).toEqual({ kind: 'none', why: 'no-destination' });
    const few = situation(coins(1, 1_000n), { byHand: true });
    expect(planTreasury(few, quiet, policy)).toEqual({ kind: 'none', why: 'fee-share-high' });
    expect(planTreasury(situation(coins(1, 5_000n), { byHand: true }), quiet, policy)).toMatchObject({ kind: 'sweep' });
  });

  it('never spends what is kept back, nor a coin twice, nor more than its share of fees', () => {
    const coin = fc.record({ valueSat: fc.bigInt(547n, 300_000n), ageMs: fc.integer({ min: 0, max: 30 * DAY_MS }) });
    fc.assert(
      fc.property(fc.array(coin, { maxLength: 700 }), fc.boolean(), fc.bigInt(1_000n, 50_000n), (all, byHand, rate) => {
        const { kept } = keepBack(all, policy);
        expect(kept.length).toBeLessThanOrEqual(20);
        const plan = planTreasury(situation(all, { byHand }), { sixBlockSatPerKvb: rate }, policy);
        if (plan.kind === 'none') return;
        const spent = new Set(plan.coins);
        expect(spent.size).toBe(plan.coins.length);
        expect(plan.coins.length).toBeLessThanOrEqual(500);
        expect(kept.some((one) => spent.has(one))).toBe(false);
        const inputSat = plan.coins.reduce((sum, { valueSat }) => sum + valueSat, 0n);
        expect(plan.feeSat * 10n).toBeLessThanOrEqual(inputSat);
        const made = plan.kind === 'split' ? BigInt(plan.count) * 20_000n : 0n;
        expect(inputSat - plan.feeSat - made).toBeGreaterThanOrEqual(546n);
      }),
    );
  });
});
