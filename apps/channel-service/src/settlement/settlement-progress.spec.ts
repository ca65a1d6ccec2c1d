import { describe, expect, it } from 'vitest';
import type { ChainBroadcastState } from '../chain/chain-client.js';
import { exampleRow } from '../testing/rows.js';
import { whyGone } from './lost-funding.js';
import { isOrphaned, settlementProgress } from './settlement-progress.js';

const broadcast = (change: Partial<ChainBroadcastState>): ChainBroadcastState => ({
  txid: 'ab'.repeat(32),
  label: '',
  version: 1,
  state: 'mempool',
  code: null,
  rejectReason: null,
  confirmations: 0,
  confirmedHeight: null,
  ...change,
});

const SETTLING = exampleRow({ state: 'settling', stateReason: 'broadcast', k: 200n, frozenK: 200n });
const BELOW_MIN = { ...SETTLING, k: 100n, frozenK: 100n };

describe('what the chain says about a settlement', () => {
  it('ends as buried where it pays us, as returned where it only gave change back', () => {
    const buried = broadcast({ state: 'buried', confirmations: 6, confirmedHeight: 9 });
    expect(settlementProgress(SETTLING, buried, null)).toMatchObject({
      to: 'buried',
      nextLookSeconds: null,
      height: 9,
    });
    expect(settlementProgress(BELOW_MIN, buried, null)).toMatchObject({ to: 'returned' });
  });

  it('goes back to settling when its block is reorganised away, and says so until it is mined again', () => {
    const settled = { ...SETTLING, state: 'settled', stateReason: 'mined' } as const;
    const back = settlementProgress(settled, broadcast({ state: 'stored' }), null);
    expect(back).toMatchObject({ to: 'settling', reason: 'reorganised', confirmations: 0, height: null });
    const waiting = { ...SETTLING, stateReason: 'reorganised' };
    expect(settlementProgress(waiting, broadcast({ state: 'mempool' }), null).reason).toBe('reorganised');
  });

  it('names the refusal of the node and tries again', () => {
    const rejected = broadcast({ state: 'rejected', code: 'script-failed', rejectReason: 'mandatory-script-verify' });
    expect(settlementProgress(SETTLING, rejected, null)).toMatchObject({
      to: 'settle-rejected',
      reason: 'script-failed',
      detail: 'mandatory-script-verify',
    });
    expect(settlementProgress(SETTLING, rejected, null).nextLookSeconds).not.toBeNull();
  });

  it('looks for the funding of a settlement that misses it, and gives up when that will not come any more', () => {
    const orphaned = broadcast({ state: 'rejected', code: 'missing-inputs' });
    const waiting = { ...SETTLING, state: 'settle-rejected', stateReason: 'missing-inputs' } as const;
    const misses = (row: typeof SETTLING): boolean => isOrphaned(row, settlementProgress(row, orphaned, null));
    expect([misses(waiting), misses({ ...waiting, state: 'lost' })]).toEqual([true, true]);
    // Other refusals, and the first look at this one, are no ground.
    expect(misses({ ...waiting, stateReason: 'below-mempool-minimum' })).toBe(false);
    expect(misses(SETTLING)).toBe(false);

    const rival = (height: number | null) => ({ txid: 'cd'.repeat(32), height, sinceMs: 0 });
    const at = (nowMs: number) => ({ tipHeight: 105, nowMs, watchMs: 1_000 });
    expect(whyGone(waiting, null, at(1_000))).toBeNull();
    expect(whyGone(waiting, null, at(1_001))).toMatchObject({ reason: 'funding-never-returned' });
    expect([whyGone(waiting, rival(null), at(0)), whyGone(waiting, rival(101), at(0))]).toEqual([null, null]);
    expect(whyGone(waiting, rival(100), at(0))).toMatchObject({
      reason: 'funding-double-spent',
      data: { height: 100 },
    });
  });

  it('keeps going beside a refund until that is final', () => {
    const conflicted = broadcast({ state: 'conflicted', code: 'conflict' });
    const refund = (confirmations: number) => ({
      txid: 'cd'.repeat(32),
      confirmations,
      height: null,
      twin: false as const,
    });
    expect(settlementProgress(SETTLING, conflicted, refund(0))).toMatchObject({
      to: 'refund-seen',
      reason: 'conflict-in-mempool',
    });
    expect(settlementProgress(SETTLING, conflicted, refund(5))).toMatchObject({ to: 'refund-seen' });
    expect(settlementProgress(SETTLING, conflicted, refund(6))).toMatchObject({ to: 'lost', reason: 'refunded' });
    expect(settlementProgress(BELOW_MIN, conflicted, refund(6))).toMatchObject({ to: 'nothing-owed' });
  });

  it('is decided by what overtook a settlement, and by its funding where that was overtaken', () => {
    const overtaken = broadcast({ state: 'overtaken', code: 'double-spent', rejectReason: 'missing' });
    const spend = { txid: 'cd'.repeat(32), confirmations: 6, height: 100, twin: false as const };
    const lost = settlementProgress(SETTLING, overtaken, spend);
    expect(lost).toMatchObject({ to: 'lost', reason: 'refunded', nextLookSeconds: null });
    const twin = { txid: spend.txid, raw: new Uint8Array([1]) };
    const booked = { ...SETTLING, state: 'settled', minedTxid: twin.txid, minedRaw: twin.raw } as const;
    expect(settlementProgress(booked, overtaken, { ...spend, twin })).toMatchObject({ to: 'buried' });
    const orphan = settlementProgress(SETTLING, overtaken, null);
    expect(orphan).toMatchObject({ to: 'settle-rejected', reason: 'missing-inputs' });
    expect(isOrphaned({ ...SETTLING, state: orphan.to, stateReason: orphan.reason }, orphan)).toBe(true);
  });

  it('books what a twin paid as settled, and gives nothing up while it may be one', () => {
    const conflicted = broadcast({ state: 'conflicted', code: 'conflict' });
    const twin = { txid: 'cd'.repeat(32), raw: new Uint8Array([1]) };
    const spend = (confirmations: number) => ({ txid: twin.txid, confirmations, height: 100, twin });
    const mined = { reason: 'settled-by-twin', detail: twin.txid, height: 100, twin };
    for (const [row, final] of [
      [SETTLING, 'buried'],
      [BELOW_MIN, 'returned'],
    ] as const) {
      expect(settlementProgress(row, conflicted, spend(1))).toMatchObject({ to: 'settled', ...mined });
      expect(settlementProgress(row, conflicted, spend(5)).nextLookSeconds).not.toBeNull();
      expect(settlementProgress(row, conflicted, spend(6))).toMatchObject({
        to: final,
        ...mined,
        nextLookSeconds: null,
      });
    }
    const waiting = settlementProgress(SETTLING, conflicted, spend(0));
    expect(waiting).toMatchObject({ to: 'settling', reason: 'twin-in-mempool' });
    expect(waiting.twin).toBeUndefined();
    const booked = { ...SETTLING, state: 'settled', minedTxid: twin.txid, minedRaw: twin.raw } as const;
    expect(settlementProgress(booked, conflicted, null)).toMatchObject({ to: 'settling', reason: 'reorganised' });
    const unknown = { txid: twin.txid, confirmations: 1_000, height: 100, twin: null };
    expect(settlementProgress(SETTLING, conflicted, unknown)).toMatchObject({ to: 'refund-seen' });
  });
});
