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
    const refund = (confirmations: number) => ({ txid: 'cd'.repeat(32), confirmations, isTwin: false });
    expect(settlementProgress(SETTLING, conflicted, refund(0))).toMatchObject({
      to: 'refund-seen',
      reason: 'conflict-in-mempool',
    });
    expect(settlementProgress(SETTLING, conflicted, refund(5))).toMatchObject({ to: 'refund-seen' });
    expect(settlementProgress(SETTLING, conflicted, refund(6))).toMatchObject({ to: 'lost', reason: 'refunded' });
    expect(settlementProgress(BELOW_MIN, conflicted, refund(6))).toMatchObject({ to: 'nothing-owed' });
  });

  it('never gives up as lost what a twin paid, or may have paid', () => {
    const conflicted = broadcast({ state: 'conflicted', code: 'conflict' });
    const spend = (isTwin: boolean | null, confirmations: number) => ({ txid: 'cd'.repeat(32), confirmations, isTwin });
    for (const deep of [1, 6, 1_000]) {
      expect(settlementProgress(SETTLING, conflicted, spend(true, deep))).toMatchObject({
        to: 'refund-seen',
        reason: 'settled-by-twin',
        detail: 'cd'.repeat(32),
      });
      expect(settlementProgress(SETTLING, conflicted, spend(null, deep))).toMatchObject({
        to: 'refund-seen',
        reason: 'conflict',
      });
    }
    // Below kMin it paid us nothing.
    expect(settlementProgress(BELOW_MIN, conflicted, spend(true, 6))).toMatchObject({ to: 'nothing-owed' });
  });
});
