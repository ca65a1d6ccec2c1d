import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Simulation } from './simulation.js';

/** Small deterministic generator, so that a failing schedule can be replayed from its seed. */
function schedule(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

const MAX_STEPS = 5_000;

describe('a buyer session against seller machines', () => {
  it('completes any torrent over any schedule, with n sellers, cut at any message', () => {
    const scenario = fc.record({
      pieces: fc.integer({ min: 1, max: 12 }),
      sellers: fc.integer({ min: 1, max: 4 }),
      fundedPieces: fc.integer({ min: 1, max: 14 }),
      maxPieces: fc.integer({ min: 1, max: 5 }),
      speedTest: fc.boolean(),
      seed: fc.nat(),
      cuts: fc.array(fc.record({ atStep: fc.integer({ min: 0, max: 150 }), victim: fc.nat() }), { maxLength: 3 }),
      corrupt: fc.option(fc.integer({ min: 0, max: 10 }), { nil: -1 }),
    });
    fc.assert(
      fc.property(scenario, (given) => {
        const next = schedule(given.seed);
        const torrent = { pieces: given.pieces, pieceLengthBytes: 64, totalBytes: 64 * (given.pieces - 1) + 17 };
        const window = { startPieces: 1, paymentsPerStep: 2, maxPieces: given.maxPieces, maxBytes: 1000 };
        const simulation = new Simulation({
          torrent,
          limits: { window },
          sellers: given.sellers,
          fundedPieces: given.fundedPieces,
          speedTestBytes: given.speedTest ? 500 : undefined,
          corrupt: (delivery) => delivery === given.corrupt,
        });
        for (let step = 0; step < MAX_STEPS && !simulation.completed; step += 1) {
          for (const { atStep, victim } of given.cuts) {
            const open = simulation.openConnections;
            if (atStep === step && open.length > 0) simulation.cut(open[victim % open.length]!);
          }
          // A leecher finds other sellers when all are gone.
          if (!simulation.advance(next())) simulation.connect();
        }
        expect(simulation.completed).toBe(true);
        simulation.finish();
        while (simulation.advance(next()));
        const paid = simulation.purchases.reduce((sum, { payments }) => sum + payments, 0);
        expect(paid).toBeLessThanOrEqual(simulation.goodPieces);
        for (const { connection, finalPayment, requested } of simulation.sales) {
          const bought = simulation.purchases.find((purchase) => purchase.connection === connection);
          expect(finalPayment).toBeLessThanOrEqual(bought!.payments);
          expect(finalPayment).toBeLessThanOrEqual(requested);
          const stored = simulation.stored.get(connection) ?? [];
          expect(stored).toEqual(Array.from({ length: finalPayment }, (_, position) => position + 1));
        }
      }),
      { numRuns: 150 },
    );
  });
});
