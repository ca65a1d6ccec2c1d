import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childBudgetSat, planChild, policyWith, type ChildSituation } from './index.js';

const policy = policyWith();
const quiet = { threeBlockSatPerKvb: 1_000n, sixBlockSatPerKvb: 1_000n };
const base: ChildSituation = {
  netSat: 20_000n,
  settlementFeeSat: 434n,
  safeBlocks: 100,
  tipHeight: 500,
  mempoolMinimumSatPerKvb: 1_000n,
  hasRival: false,
};

describe('the child of a settlement', () => {
  it('is not needed while the frozen fee does and time is left', () => {
    expect(planChild(base, quiet, policy)).toEqual({ kind: 'none' });
  });

  it('pays for both where the frozen fee has fallen behind', () => {
    const estimates = { threeBlockSatPerKvb: 9_000n, sixBlockSatPerKvb: 5_000n };
    // (347 + 192) · 5 − 434
    expect(planChild(base, estimates, policy)).toEqual({
      kind: 'child',
      reason: 'fee-behind-estimate',
      feeSat: 2_261n,
      withCoin: false,
    });
    // Few blocks are left: the estimate for three.
    expect(planChild({ ...base, safeBlocks: 11 }, estimates, policy)).toMatchObject({ feeSat: 4_417n });
  });

  it('comes with the settlement where the mempool takes nothing so cheap', () => {
    const plan = planChild({ ...base, mempoolMinimumSatPerKvb: 3_000n }, quiet, policy);
    expect(plan).toMatchObject({ kind: 'child', reason: 'below-node-minimum', feeSat: 1_183n });
  });

  it('costs half of what it saves at most, and four fifths in the last blocks or against a refund', () => {
    const dear = { threeBlockSatPerKvb: 500_000n, sixBlockSatPerKvb: 500_000n };
    expect(planChild(base, dear, policy)).toMatchObject({ feeSat: 10_000n });
    expect(planChild({ ...base, safeBlocks: 3 }, dear, policy)).toMatchObject({ feeSat: 16_000n });
    expect(planChild({ ...base, hasRival: true }, quiet, policy)).toMatchObject({
      reason: 'rival-in-mempool',
      feeSat: 16_000n,
    });
    expect(planChild({ ...base, netSat: 300n }, dear, policy)).toMatchObject({ kind: 'unaffordable', budgetSat: 150n });
  });

  it('takes a coin of the treasury where its own output would be dust', () => {
    const small = { ...base, netSat: 1_050n, safeBlocks: 2 };
    const dear = { threeBlockSatPerKvb: 50_000n };
    expect(planChild({ ...small, coinSat: 20_000n }, dear, policy)).toMatchObject({ feeSat: 840n, withCoin: true });
    expect(planChild(small, dear, policy)).toMatchObject({ feeSat: 504n, withCoin: false });
  });

  it('pays more with each block while few are left, whatever the estimates say', () => {
    const previous = { feeSat: 192n, virtualBytes: 192n, madeAtHeight: 499 };
    const late = { ...base, safeBlocks: 11, previous };
    expect(planChild(late, quiet, policy)).toMatchObject({ feeSat: 384n });
    expect(planChild({ ...late, previous: { ...previous, feeSat: 4_000n } }, quiet, policy)).toMatchObject({
      feeSat: 5_108n,
    });
    expect(planChild({ ...late, tipHeight: 499 }, quiet, policy)).toEqual({ kind: 'none' });
  });

  it('is replaced once per block at most, by one that nodes take and its budget allows', () => {
    const rate = fc.bigInt(1_000n, 200_000n);
    fc.assert(
      fc.property(
        fc.bigInt(600n, 200_000n),
        fc.array(fc.record({ rate, blocks: fc.integer({ min: 0, max: 2 }) }), { maxLength: 20 }),
        (netSat, looks) => {
          let situation: ChildSituation = { ...base, netSat, safeBlocks: 15 };
          for (const { rate: now, blocks } of looks) {
            const { tipHeight, safeBlocks, previous } = situation;
            situation = { ...situation, tipHeight: tipHeight + blocks, safeBlocks: Math.max(0, safeBlocks - blocks) };
            const estimates = { threeBlockSatPerKvb: now, sixBlockSatPerKvb: now };
            const plan = planChild(situation, estimates, policy);
            if (plan.kind !== 'child') continue;
            expect(plan.feeSat).toBeLessThanOrEqual(childBudgetSat(netSat, situation.safeBlocks, policy));
            expect(netSat - plan.feeSat).toBeGreaterThanOrEqual(546n);
            if (previous !== undefined) {
              expect(situation.tipHeight).toBeGreaterThan(previous.madeAtHeight);
              expect(plan.feeSat).toBeGreaterThanOrEqual(previous.feeSat + 192n);
            }
            const child = { feeSat: plan.feeSat, virtualBytes: 192n, madeAtHeight: situation.tipHeight };
            situation = { ...situation, previous: child };
          }
        },
      ),
    );
  });
});
