import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCollectable } from '@seedfleet/payment-channel';
import type { ChannelEvent, ChannelLife, Facts, NextAction } from './index.js';
import { DEFAULT_RULES, isFinal, mayServe, next, nextAction, openLife, ownerOf } from './index.js';

const START_MTP = 1_700_000_000;
const base: Facts = {
  nowMs: 0,
  tipMtp: START_MTP,
  k: 0,
  kCap: 994,
  priceSat: 7n,
  settlementFeeSat: 450n,
  lockUnits: 20,
  marginSeconds: 5400,
  rules: DEFAULT_RULES,
};

const confirmations = fc.integer({ min: 0, max: 8 });
const anyEvent: fc.Arbitrary<ChannelEvent> = fc.oneof(
  fc.constantFrom<ChannelEvent>(
    { type: 'joining-sent' },
    { type: 'ready' },
    { type: 'funding-refused', code: 'value-mismatch' },
    { type: 'funding-seen', waitsFor: 'unconfirmed' },
    { type: 'funding-deep' },
    { type: 'funding-vanished' },
    { type: 'close' },
    { type: 'settlement-stored', txid: 'aa' },
    { type: 'settlement-stored', txid: 'bb' },
    { type: 'settlement-accepted' },
    { type: 'settlement-rejected', code: 'min-fee' },
    { type: 'settlement-unmined' },
    { type: 'foreign-spend-gone' },
    { type: 'tick' },
  ),
  fc.nat(1200).map((finalK): ChannelEvent => ({ type: 'connection-ended', cause: 'closed', finalK })),
  confirmations.map((deep): ChannelEvent => ({ type: 'settlement-mined', confirmations: deep })),
  confirmations.map((deep): ChannelEvent => ({ type: 'foreign-spend', txid: 'ff', confirmations: deep })),
  confirmations.map((deep): ChannelEvent => ({ type: 'funding-double-spent', txid: 'dd', confirmations: deep })),
  fc
    .tuple(fc.constantFrom('aa', 'tt', 'uu'), confirmations)
    .map(([txid, deep]): ChannelEvent => ({ type: 'twin-mined', txid, confirmations: deep })),
);

/** An event, and what has become known since the last one: time passes, payments come, blocks are found. */
const anyStep = fc.record({
  event: anyEvent,
  laterMs: fc.oneof(fc.nat(20_000), fc.nat(20_000_000)),
  laterMtp: fc.nat(3000),
  paid: fc.oneof(fc.constant(0), fc.nat(300)),
  confirms: fc.boolean(),
});

/** A life that starts somewhere worth starting: most random prefixes end before anything is paid. */
const anyStart = fc.constantFrom<ChannelEvent['type'][]>(
  [],
  ['joining-sent', 'ready'],
  ['joining-sent', 'ready', 'funding-deep'],
);

test('no order of events breaks what must always hold', () => {
  fc.assert(
    fc.property(anyStart, fc.array(anyStep, { maxLength: 40 }), (start, steps) => {
      let facts = base;
      let life = openLife(0);
      for (const type of start) life = next(life, { type } as ChannelEvent, facts).life;
      for (const { event, laterMs, laterMtp, paid, confirms } of steps) {
        facts = {
          ...facts,
          nowMs: facts.nowMs + laterMs,
          tipMtp: facts.tipMtp + laterMtp,
          // Payments are taken while the channel serves or is awaited, as the intake does.
          k: life.frozenK === undefined ? Math.min(facts.k + paid, 994) : facts.k,
          ...(confirms ? { fundingPreviousMtp: facts.fundingPreviousMtp ?? facts.tipMtp } : {}),
        };
        const before = life;
        const step = next(before, event, facts);
        life = step.life;

        if (isFinal(before.state)) expect(life).toBe(before);
        checkChain(before, event, life);
        expect(step.changed).toBe(life !== before);
        checkAction(life, step.next);
        checkMoney(before, life, facts);
      }
    }),
    { numRuns: 3000 },
  );
});

function checkAction(life: ChannelLife, action: NextAction | null): void {
  if (isFinal(life.state)) return expect(action).toBeNull();
  expect(action?.owner).toBe(ownerOf(life.state));
  expect(Number.isFinite(action?.atMs)).toBe(true);
}

/** What the chain says outranks what we wish: no piece beside a rival of the funding, nothing lost that a twin paid. */
function checkChain(before: ChannelLife, event: ChannelEvent, after: ChannelLife): void {
  if (event.type === 'funding-double-spent') expect(mayServe(after.state)).toBe(false);
  if (event.type === 'twin-mined') {
    if (before.state !== 'lost') expect(after.state).not.toBe('lost');
    const isMined = event.confirmations > 0 && before.settlementTxid !== undefined && !isFinal(before.state);
    if (isMined && event.txid !== before.settlementTxid) expect(after.minedTxid).toBe(event.txid);
  }
  if (after.state === 'lost' && before.state !== 'lost') {
    const isFinalRival = event.type === 'funding-double-spent' || event.type === 'foreign-spend';
    expect(isFinalRival ? event.confirmations >= 6 : after.reason === 'funding-never-returned').toBe(true);
  }
}

function checkMoney(before: ChannelLife, after: ChannelLife, facts: Facts): void {
  if (before.frozenK !== undefined) expect(after.frozenK).toBe(before.frozenK);
  if (before.settlementTxid !== undefined) expect(after.settlementTxid).toBe(before.settlementTxid);
  if (after.frozenK !== undefined) expect(after.frozenK).toBeLessThanOrEqual(Math.min(facts.k, 994));
  if (after.settlementTxid !== undefined) expect(after.frozenK).toBeDefined();
  // Once the service has ended it never starts again.
  if (before.frozenK !== undefined || before.awaitedK !== undefined) expect(mayServe(after.state)).toBe(false);
  const pays = isCollectable(after.frozenK ?? 0, facts.priceSat, facts.settlementFeeSat);
  if (after.state === 'buried' || after.state === 'lost') expect(pays).toBe(true);
  if (after.state === 'returned' || after.state === 'nothing-owed') expect(pays).toBe(false);
  if (after.state === 'buried' || after.state === 'returned') expect(after.settlementTxid).toBeDefined();
  // What is mined in the settlement's place is another transaction, known only where the channel rests on it.
  if (after.minedTxid !== undefined) {
    expect(['settled', 'buried', 'returned']).toContain(after.state);
    expect(after.minedTxid).not.toBe(after.settlementTxid);
  }
}

test('the same event twice is the same as once, but for counting refusals', () => {
  fc.assert(
    fc.property(anyStart, fc.array(anyEvent, { maxLength: 12 }), anyEvent, fc.nat(994), (start, events, last, k) => {
      const facts = { ...base, k, fundingPreviousMtp: START_MTP };
      let life = openLife(0);
      for (const type of start) life = next(life, { type } as ChannelEvent, facts).life;
      for (const event of events) life = next(life, event, facts).life;
      const once = next(life, last, facts).life;
      const twice = next(once, last, facts).life;
      // Ticks take one step each, so that the story shows every step.
      if (last.type !== 'settlement-rejected' && last.type !== 'tick') expect(twice).toEqual(once);
    }),
    { numRuns: 3000 },
  );
});

test('an owner that does what the next action says brings every channel to an end', () => {
  fc.assert(
    fc.property(anyStart, fc.array(anyStep, { maxLength: 20 }), fc.boolean(), (start, steps, isFundingLost) => {
      let facts: Facts = { ...base, fundingPreviousMtp: START_MTP };
      let life = openLife(0);
      for (const type of start) life = next(life, { type } as ChannelEvent, facts).life;
      for (const { event, laterMs, paid } of steps) {
        facts = { ...facts, nowMs: facts.nowMs + laterMs, k: life.frozenK === undefined ? facts.k + paid : facts.k };
        life = next(life, event, facts).life;
      }
      for (let turns = 0; !isFinal(life.state); turns++) {
        // Two weeks of looks at a funding that stays away, and no more.
        if (turns > 5000) throw new Error(`stuck in ${life.state}, ${life.reason}`);
        const action = nextAction(life, facts)!;
        const nowMs = Math.max(facts.nowMs + 1, action.atMs);
        const passedSeconds = Math.floor((nowMs - facts.nowMs) / 1000);
        facts = { ...facts, nowMs, tipMtp: facts.tipMtp + passedSeconds };
        life = next(life, { type: 'tick' }, facts).life;
        if (!isFinal(life.state)) life = next(life, answer(life, action, isFundingLost), facts).life;
      }
    }),
    { numRuns: 300 },
  );
});

/** What a faithful owner reports after doing what the action says, on a chain that takes its transactions. */
function answer(life: ChannelLife, { what }: NextAction, isFundingLost: boolean): ChannelEvent {
  if (what === 'send-joining') return { type: 'joining-sent' };
  if (what === 'sign-settlement' && life.frozenK !== undefined) return { type: 'settlement-stored', txid: 'aa' };
  if (what === 'follow-settlement') return { type: 'settlement-mined', confirmations: 6 };
  if (what === 'retry-settlement') return { type: 'settlement-accepted' };
  if (what === 'await-funding' && !isFundingLost) return { type: 'funding-deep' };
  return { type: 'tick' };
}
