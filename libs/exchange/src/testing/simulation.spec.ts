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

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

const MAX_STEPS = 5_000;

describe('a buyer session against seller machines', () => {
  it('completes any torrent over any schedule, with n sellers, cut or reinstalled at any message', () => {
    const scenario = fc.record({
      pieces: fc.integer({ min: 1, max: 12 }),
      sellers: fc.integer({ min: 1, max: 4 }),
      fundedPieces: fc.integer({ min: 1, max: 14 }),
      maxPieces: fc.integer({ min: 1, max: 5 }),
      speedTest: fc.boolean(),
      seed: fc.nat(),
      accidents: fc.array(
        fc.record({
          atStep: fc.integer({ min: 0, max: 150 }),
          kind: fc.constantFrom('cut', 'reinstall', 'obtain'),
          victim: fc.nat(),
        }),
        { maxLength: 4 },
      ),
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
          for (const { atStep, kind, victim } of given.accidents) {
            const open = simulation.openConnections;
            const connection = open[victim % open.length];
            if (atStep !== step || connection === undefined) continue;
            if (kind === 'cut') simulation.cut(connection);
            else if (kind === 'reinstall') simulation.reinstall(connection);
            else simulation.obtain(victim % given.pieces);
          }
          // A leecher finds other sellers when all are gone.
          if (!simulation.advance(next())) simulation.connect();
        }
        expect(simulation.completed).toBe(true);
        simulation.finish();
        while (simulation.advance(next()));
        const paid = total(simulation.purchases.map(({ payments }) => payments));
        // Each piece obtained elsewhere may have been asked for, and is then paid politely.
        expect(paid).toBeLessThanOrEqual(simulation.goodPieces + simulation.obtained);
        for (const { finalPayment, requested, stored } of simulation.sales) {
          expect(finalPayment).toBeLessThanOrEqual(requested);
          expect(stored).toEqual(Array.from({ length: finalPayment }, (_, position) => position + 1));
        }
        for (const id of new Set(simulation.sales.map(({ connection }) => connection))) {
          const sold = simulation.sales.filter(({ connection }) => connection === id);
          const bought = simulation.purchases.filter(({ connection }) => connection === id);
          const received = total(sold.map(({ finalPayment }) => finalPayment));
          expect(received).toBeLessThanOrEqual(total(bought.map(({ payments }) => payments)));
        }
      }),
      { numRuns: 300 },
    );
  });
});
