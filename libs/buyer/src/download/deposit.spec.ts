import { kCap, kMin } from '@seedfleet/payment-channel';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { depositsFor } from './deposit.js';

const sellers = fc.array(
  fc.record({
    priceSat: fc.bigInt(1n, 5_000n),
    settlementFeeSat: fc.bigInt(0n, 10_000n),
    missing: fc.integer({ min: 1, max: 50_000 }),
  }),
  { minLength: 1, maxLength: 8 },
);

it('lets each seller carry all that is missing, or keeps to the budget with at least 2·kMin payments each', () => {
  fc.assert(
    fc.property(sellers, fc.option(fc.bigInt(0n, 50_000_000n), { nil: undefined }), (needs, budgetSat) => {
      const deposits = depositsFor(needs, budgetSat);
      if (!deposits.ok) {
        expect(budgetSat).toBeDefined();
        expect(budgetSat).toBeLessThan(deposits.leastSat);
        expect(depositsFor(needs, deposits.leastSat).ok).toBe(true);
        return;
      }
      const { valuesSat } = deposits;
      const totalSat = valuesSat.reduce((sum, value) => sum + value, 0n);
      if (budgetSat !== undefined) expect(totalSat).toBeLessThanOrEqual(budgetSat);
      for (const [place, need] of needs.entries()) {
        const cap = kCap(valuesSat[place]!, need.priceSat);
        const least = kMin(need.priceSat, need.settlementFeeSat);
        const payments = cap.ok ? cap.k : 0;
        expect(payments).toBeGreaterThanOrEqual(2 * (least.ok ? least.k : 0));
        if (budgetSat === undefined) expect(payments).toBeGreaterThanOrEqual(need.missing);
      }
    }),
  );
});
