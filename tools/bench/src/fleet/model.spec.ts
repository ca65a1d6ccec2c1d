import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fleetOfSize, nodesAtLimit, type Load, type MeasuredCosts } from './model.js';
import { PARTS, perPart } from './shared-parts.js';

const cost = fc.double({ min: 1e-7, max: 1e-3, noNaN: true });
const costs: fc.Arbitrary<MeasuredCosts> = fc
  .tuple(cost, cost, cost, cost, cost)
  .map(([payment, sale, idle, idlePerNode, byte]) => ({
    perPayment: perPart(() => payment),
    perSale: perPart(() => sale * 100),
    idle: perPart(() => idle),
    idlePerNode: perPart(() => idlePerNode),
    pieceSat: 79,
    nodePerByte: byte * 1e-6,
  }));
const load: Load = { nodeBytesPerSecond: 125e6, saleBytes: 10 * 1024 ** 3, pieceBytes: 1024 ** 2, pieceSat: 2 };

it('names the fleet at which a part has one core busy, and makes shared parts cheaper per byte as it grows', () => {
  fc.assert(
    fc.property(costs, (measured) => {
      const limits = nodesAtLimit(measured, load);
      for (const part of PARTS) {
        expect(fleetOfSize(limits[part], measured, load).cores[part]).toBeCloseTo(1, 6);
      }
      const [small, large] = [fleetOfSize(1, measured, load), fleetOfSize(100, measured, load)];
      expect(large.sharedHoursPerTb).toBeLessThanOrEqual(small.sharedHoursPerTb);
      expect(large.nodeHoursPerTb).toBeCloseTo(small.nodeHoursPerTb, 9);
    }),
  );
});
