import { describe, expect, test } from 'vitest';
import type { ChannelEvent, ChannelLife, ChannelState, Facts } from './index.js';
import {
  CHANNEL_STATES,
  DEFAULT_RULES,
  FINAL_STATES,
  INTAKE_STATES,
  SETTLER_STATES,
  deadlineMtp,
  decideSettlement,
  hasTimeToServe,
  isPastDeadline,
  maturityMtp,
  next,
  nextAction,
  openLife,
  reopen,
  safeBlocks,
} from './index.js';

const HOUR_MS = 3_600_000;
const START_MTP = 1_700_000_000;

/** The worked example of the specification: P = 7, F = 450, kMin = 143, kCap = 994; lock of 20 units. */
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
const confirmed: Partial<Facts> = { fundingPreviousMtp: START_MTP };

type Told = [ChannelEvent['type'] | ChannelEvent, Partial<Facts>?];

/** Plays events; facts given with one hold for all that follow. */
function play(...told: Told[]): { life: ChannelLife; facts: Facts } {
  let [life, facts] = [openLife(0), base];
  for (const [event, change = {}] of told) {
    facts = { ...facts, ...change };
    life = next(life, typeof event === 'string' ? ({ type: event } as ChannelEvent) : event, facts).life;
  }
  return { life, facts };
}

const joined: Told[] = [['joining-sent']];
const ready: Told[] = [...joined, ['ready']];
const seen: Told[] = [...ready, [{ type: 'funding-seen', waitsFor: 'unconfirmed' }]];
const funded: Told[] = [...seen, ['funding-deep', confirmed]];
const ended = (finalK: number): ChannelEvent => ({ type: 'connection-ended', cause: 'closed', finalK });
const closed = (k: number): Told[] => [...funded, [ended(k), { k }]];
const stored: ChannelEvent = { type: 'settlement-stored', txid: 'aa' };
const mined = (confirmations: number): ChannelEvent => ({ type: 'settlement-mined', confirmations });
const spentBy = (confirmations: number): ChannelEvent => ({ type: 'foreign-spend', txid: 'ff', confirmations });
const settling = (k: number): Told[] => [...closed(k), [stored]];
const settled = (k: number): Told[] => [...settling(k), [mined(1)]];

describe('states', () => {
  test('each has one owner or is final', () => {
    expect([...INTAKE_STATES, ...SETTLER_STATES, ...FINAL_STATES].sort()).toEqual([...CHANNEL_STATES].sort());
    expect(FINAL_STATES).toEqual(['buried', 'returned', 'nothing-owed', 'join-expired', 'refused', 'lost']);
  });
});

describe('paths through a life', () => {
  test.each<[string, Told[], ChannelState, string]>([
    ['a sale', [...settled(987), [mined(6)]], 'buried', 'settlement-final'],
    ['mined but not final', [...settled(987), [mined(5)]], 'settled', 'settlement-mined'],
    ['below kMin the change goes back', [...settled(100), [mined(6)]], 'returned', 'settlement-final'],
    ['nothing paid', [...closed(0), ['tick']], 'nothing-owed', 'nothing-paid'],
    ['too little to be relayed: 44 · 7 < 313', [...closed(44), ['tick']], 'nothing-owed', 'below-relay-minimum'],
    ['just enough to be relayed: 45 · 7', [...closed(45), ['tick']], 'closing', 'connection-ended'],
    ['the user never clicked', [...joined, ['tick', { nowMs: 6 * HOUR_MS }]], 'join-expired', 'join-too-old'],
    ['still waiting for the user', [...joined, ['tick', { nowMs: 6 * HOUR_MS - 1 }]], 'joined', 'joining-sent'],
    ['the connection ended before ready', [...joined, [ended(0)]], 'join-expired', 'ended-before-ready'],
    ['ready overtakes our note', [['ready']], 'joined', 'ready-received'],
    ['a false outpoint', [...ready, ['tick', { nowMs: 120_000 }]], 'refused', 'funding-not-seen'],
    [
      'a false script',
      [...ready, [{ type: 'funding-refused', code: 'script-mismatch' }]],
      'refused',
      'funding-refused',
    ],
    ['already spent', [...ready, [spentBy(0)]], 'refused', 'foreign-spend'],
    ['deep at once', [...ready, ['funding-deep', confirmed]], 'funded', 'funding-deep'],
    [
      'too shallow after a reorganisation',
      [...funded, [{ type: 'funding-seen', waitsFor: 'x' }]],
      'funding-seen',
      'funding-shallow',
    ],
    ['unconfirmed for hours', [...seen, ['tick', { nowMs: 6 * HOUR_MS }]], 'closing', 'unconfirmed-too-long'],
    ['kCap', [...funded, ['tick', { k: 994 }]], 'closing', 'k-cap'],
    ['operator', [...funded, ['close', { k: 200 }]], 'closing', 'operator'],
    ['operator before the funding', [...joined, ['close']], 'join-expired', 'operator'],
    [
      'one second before the deadline',
      [...funded, ['tick', { tipMtp: START_MTP + 10_240 - 5401 }]],
      'funded',
      'funding-deep',
    ],
    ['deadline', [...funded, ['tick', { tipMtp: START_MTP + 10_240 - 5400 }]], 'closing', 'deadline'],
    [
      'the node refuses',
      [...settling(987), [{ type: 'settlement-rejected', code: 'min-fee' }]],
      'settle-rejected',
      'settlement-rejected',
    ],
    [
      'and takes it later',
      [...settling(987), [{ type: 'settlement-rejected', code: 'min-fee' }], ['settlement-accepted']],
      'settling',
      'settlement-accepted',
    ],
    [
      'refused, yet mined',
      [...settling(987), [{ type: 'settlement-rejected', code: 'x' }], [mined(1)]],
      'settled',
      'settlement-mined',
    ],
    ['reorganised out', [...settled(987), ['settlement-unmined']], 'settling', 'settlement-unmined'],
    ['vanished while serving', [...funded, ['funding-vanished', { k: 200 }]], 'funding-missing', 'funding-vanished'],
    [
      'back in time, service goes on',
      [...funded, ['funding-vanished', { k: 200 }], ['funding-deep']],
      'funded',
      'funding-returned',
    ],
    [
      'back too late',
      [...funded, ['funding-vanished', { k: 200 }], ['tick', { nowMs: 120_000 }], ['funding-deep']],
      'closing',
      'funding-returned',
    ],
    [
      'never back',
      [...funded, ['funding-vanished', { k: 200 }], ['tick', { nowMs: 14 * 24 * HOUR_MS }]],
      'lost',
      'funding-never-returned',
    ],
    [
      'never back, nothing paid',
      [...funded, ['funding-vanished'], ['tick', { nowMs: 14 * 24 * HOUR_MS }]],
      'nothing-owed',
      'nothing-paid',
    ],
    [
      'vanished with its settlement, and back',
      [...settled(987), ['funding-vanished'], ['funding-deep']],
      'settling',
      'funding-returned',
    ],
    ['a refund competes', [...settling(987), [spentBy(0)]], 'refund-seen', 'foreign-spend'],
    ['and loses', [...settling(987), [spentBy(0)], [mined(1)]], 'settled', 'settlement-mined'],
    ['and is gone', [...settling(987), [spentBy(1)], ['foreign-spend-gone']], 'settling', 'foreign-spend-gone'],
    ['and wins', [...settling(987), [spentBy(1)], [spentBy(6)]], 'lost', 'refunded'],
    ['a refund of what was never paid', [...funded, [spentBy(6)]], 'nothing-owed', 'nothing-paid'],
    ['a refund before we could return the change', [...settling(100), [spentBy(6)]], 'nothing-owed', 'refunded'],
    ['a stale report beside our mined settlement', [...settled(987), [spentBy(0)]], 'settled', 'settlement-mined'],
    ['a refund mined in place of our settlement', [...settled(987), [spentBy(1)]], 'refund-seen', 'foreign-spend'],
  ])('%s', (_, told, state, reason) => {
    const { life } = play(...told);
    expect([life.state, life.reason]).toEqual([state, reason]);
  });

  test('a policy that leaves buyers to their refund', () => {
    const rules = { ...DEFAULT_RULES, belowMin: 'leave-to-refund' as const };
    const { life } = play(...closed(100), ['tick', { rules }]);
    expect([life.state, life.reason]).toEqual(['nothing-owed', 'left-to-refund']);
    // What is signed is followed to its end all the same.
    expect(play(...settling(100), [spentBy(0)], ['tick', { rules }]).life.state).toBe('refund-seen');
  });
});

describe('freezing k', () => {
  test('waits for the payments that the node had and we have not', () => {
    const waiting = play(...funded, [ended(200), { k: 198 }]).life;
    expect(waiting).toMatchObject({ state: 'closing', awaitedK: 200 });
    expect(waiting.frozenK).toBeUndefined();
    const arrived = play(...funded, [ended(200), { k: 198 }], ['tick', { k: 200 }]).life;
    expect(arrived).toMatchObject({ reason: 'k-frozen', frozenK: 200 });
    const givenUp = play(...funded, [ended(200), { k: 198 }], ['tick', { k: 199, nowMs: 10_000 }]).life;
    expect(givenUp).toMatchObject({ reason: 'k-frozen', frozenK: 199 });
  });

  test('the node’s word shortens the wait after a deadline', () => {
    const told: Told[] = [...funded, ['close', { k: 198 }]];
    expect(play(...told).life.awaitedK).toBe(994);
    expect(play(...told, [ended(198)]).life.frozenK).toBe(198);
    expect(play(...told, [ended(199), { k: 198 }], ['tick', { k: 199 }]).life.frozenK).toBe(199);
  });

  test('never beyond kCap, and never again', () => {
    expect(play(...funded, [ended(5000), { k: 994 }]).life.frozenK).toBe(994);
    const frozen = play(...closed(200), ['tick', { k: 300, nowMs: HOUR_MS }], [ended(300)], ['close']).life;
    expect(frozen.frozenK).toBe(200);
  });

  test('nothing is settled before k is frozen, and only one settlement ever', () => {
    expect(play(...funded, [ended(200), { k: 198 }], [stored]).life.settlementTxid).toBeUndefined();
    const second = play(...settling(987), [{ type: 'settlement-stored', txid: 'bb' }]).life;
    expect(second.settlementTxid).toBe('aa');
  });
});

describe('next actions', () => {
  const action = (...told: Told[]) => {
    const { life, facts } = play(...told);
    return nextAction(life, facts);
  };

  test.each<[string, Told[], object | null]>([
    ['offered', [], { what: 'send-joining', owner: 'intake', atMs: 0 }],
    ['joined', joined, { what: 'await-ready', owner: 'intake', atMs: 6 * HOUR_MS }],
    ['ready', ready, { what: 'find-funding', owner: 'intake', atMs: 1000 }],
    ['seen', seen, { what: 'follow-funding', owner: 'intake', atMs: 300_000 }],
    ['funded', funded, { what: 'follow-funding', owner: 'intake', atMs: 300_000, atMtp: START_MTP + 4840 }],
    ['awaiting', [...funded, ['close', { k: 2 }]], { what: 'await-payment', owner: 'settler', atMs: 10_000 }],
    ['closing', closed(987), { what: 'sign-settlement', owner: 'settler', atMs: 0 }],
    ['settling', settling(987), { what: 'follow-settlement', owner: 'settler', atMs: 300_000 }],
    ['settled', settled(987), { what: 'follow-settlement', owner: 'settler', atMs: 300_000 }],
    ['missing', [...funded, ['funding-vanished']], { what: 'await-funding', owner: 'settler', atMs: 120_000 }],
    ['refund seen', [...closed(987), [spentBy(0)]], { what: 'sign-settlement', owner: 'settler', atMs: 0 }],
    ['final', [...settled(987), [mined(6)]], null],
  ])('%s', (_, told, expected) => expect(action(...told)).toEqual(expected));

  test('refused settlements are tried again with doubling pauses', () => {
    const refused: Told = [{ type: 'settlement-rejected', code: 'min-fee' }];
    const pauses = [1, 2, 3, 20].map((times) => action(...settling(987), ...Array<Told>(times).fill(refused))?.atMs);
    expect(pauses).toEqual([2000, 4000, 8000, 300_000]);
  });
});

test('a reorganisation below the final depth is undone through its own door', () => {
  const { life, facts } = play(...settled(987), [mined(6)]);
  expect(next(life, { type: 'settlement-unmined' }, facts).changed).toBe(false);
  const undone = reopen(life, facts);
  expect(undone.life).toMatchObject({ state: 'settling', reason: 'reorg-below-final', frozenK: 987 });
  expect(undone.next?.what).toBe('follow-settlement');
  const refused = play(...ready, [{ type: 'funding-refused', code: 'x' }]);
  expect(reopen(refused.life, refused.facts).changed).toBe(false);
});

describe('deadline arithmetic', () => {
  const lock = { lockUnits: 20, fundingPreviousMtp: START_MTP };
  test('maturity less margin, in median time past', () => {
    expect(maturityMtp(lock)).toBe(START_MTP + 10_240);
    expect(deadlineMtp(lock, 5400)).toBe(START_MTP + 4840);
    expect([4839, 4840].map((s) => isPastDeadline(lock, 5400, START_MTP + s))).toEqual([false, true]);
    expect([3039, 3040].map((s) => hasTimeToServe(lock, 5400, START_MTP + s, 1800))).toEqual([true, false]);
    expect([0, 10_239, 20_000].map((s) => safeBlocks(lock, START_MTP + s))).toEqual([17, 0, 0]);
  });

  test('an unconfirmed funding has no deadline', () => {
    const unconfirmed = { lockUnits: 20 };
    expect(deadlineMtp(unconfirmed, 5400)).toBeUndefined();
    expect(isPastDeadline(unconfirmed, 5400, 2 ** 31)).toBe(false);
    expect(safeBlocks(unconfirmed, START_MTP)).toBe(Infinity);
  });
});

test('decideSettlement at its boundaries', () => {
  const decide = (k: number, minRelay = 1000n) =>
    decideSettlement({ k, priceSat: 7n, settlementFeeSat: 450n }, 'return-change', minRelay);
  expect([0, 44, 45, 142, 143].map((k) => decide(k))).toEqual([
    'nothing-paid',
    'below-relay-minimum',
    'return-change',
    'return-change',
    'settle',
  ]);
  // At 0.1 sat/vB, 32 satoshi are enough.
  expect([4, 5].map((k) => decide(k, 100n))).toEqual(['below-relay-minimum', 'return-change']);
});
