import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Admission, LANES, type Lane, type Outcome, type Ticket } from './admission.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits = { atOnce: 4, atOnceOfOthers: 2, waiting: 3, maxWaitMs: 1_000 };
const isOther = (lane: Lane): boolean => lane === 'stranger' || lane === 'public';

interface Asked {
  readonly lane: Lane;
  ticket?: Ticket;
  outcome?: Outcome;
  over: boolean;
}

it('never works on, or keeps waiting, more than it may, and decides every request once', () => {
  const step = fc.oneof(
    fc.record({ ask: fc.constantFrom(...LANES) }),
    fc.record({ leave: fc.nat() }),
    fc.record({ passMs: fc.nat({ max: 700 }) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const admission = new Admission(limits);
    const all: Asked[] = [];
    const working = (): Asked[] => all.filter(({ outcome, over }) => outcome === 'admitted' && !over);
    const waiting = (): Asked[] => all.filter(({ outcome, over }) => outcome === undefined && !over);
    for (const each of steps) {
      if ('ask' in each) {
        const asked: Asked = { lane: each.ask, over: false };
        all.push(asked);
        asked.ticket = admission.ask(each.ask, (outcome) => {
          expect(asked.outcome).toBeUndefined();
          asked.outcome = outcome;
        });
      } else if ('leave' in each) {
        const open = [...working(), ...waiting()];
        const one = open[each.leave % Math.max(1, open.length)];
        if (one !== undefined) {
          one.over = true;
          one.ticket?.leave();
          one.ticket?.leave();
        }
      } else vi.advanceTimersByTime(each.passMs);
      expect(admission.inWork).toBe(working().length);
      expect(working().length).toBeLessThanOrEqual(limits.atOnce);
      expect(working().filter(({ lane }) => isOther(lane)).length).toBeLessThanOrEqual(limits.atOnceOfOthers);
      expect(waiting().length).toBeLessThanOrEqual(limits.waiting);
      // Nobody who may work waits.
      const room = working().length < limits.atOnce;
      if (room) expect(waiting().filter(({ lane }) => !isOther(lane))).toEqual([]);
    }
    for (const { ticket } of all) ticket?.leave();
    vi.advanceTimersByTime(limits.maxWaitMs);
    expect(admission.inWork).toBe(0);
    expect(all.every(({ outcome }) => outcome !== undefined)).toBe(true);
  });
  fc.assert(property, { numRuns: 300 });
});

it('serves in the order of what would be missed most, and lets the least important make way', () => {
  const admission = new Admission({ ...limits, atOnce: 1, atOnceOfOthers: 1 });
  const told: string[] = [];
  const ask = (name: string, lane: Lane): Ticket => admission.ask(lane, (outcome) => told.push(`${name} ${outcome}`));
  const first = ask('first', 'public');
  const visitor = ask('visitor', 'public');
  ask('guest', 'public');
  const reader = ask('reader', 'read');
  expect(told).toEqual(['first admitted']);
  const writer = ask('writer', 'write');
  expect(told.splice(0)).toEqual(['first admitted', 'guest refused']);
  ask('latecomer', 'public');
  expect(told.splice(0)).toEqual(['latecomer refused']);
  for (const ticket of [first, writer, reader, visitor]) ticket.leave();
  expect(told).toEqual(['writer admitted', 'reader admitted', 'visitor admitted']);
});
