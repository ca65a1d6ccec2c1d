import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BroadcastCode } from '@seedfleet/bitcoin-node';
import {
  attempted,
  broadcastBlockConnected,
  broadcastBlockDisconnected,
  storedLife,
  withdrawn,
  type Attempt,
  type BroadcastLife,
  type Rival,
} from './broadcast-life.js';

const NOW = 1_000_000;
const doubleSpent = (rival: Rival | null, depth: number): Attempt => ({
  kind: 'double-spent',
  reason: 'missing',
  rival,
  depth,
});
const answer = (code: BroadcastCode, reason = ''): Attempt => ({ kind: 'answer', code, reason });

const move = fc.record({
  depth: fc.integer({ min: 0, max: 8 }),
  /** True where a block holds the transaction, if none of the chain does yet. */
  blocks: fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
});

const rivalMove = fc.record({
  depth: fc.integer({ min: 0, max: 8 }),
  /** True where a block holds the rival, if none of the chain does yet. */
  blocks: fc.array(fc.boolean(), { maxLength: 8 }),
  /** Whether it is tried after these blocks. */
  look: fc.boolean(),
});

describe('the life of a broadcast', () => {
  it('stands where the chain says, after any reorganisations to a longer chain', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 15 }), (moves) => {
        const chain: { hash: string; holds: boolean }[] = [];
        let made = 0;
        let life = storedLife(NOW);
        for (const next of moves) {
          const depth = Math.min(next.depth, next.blocks.length, chain.length);
          for (let undone = 0; undone < depth; undone += 1) {
            const gone = chain.pop();
            if (gone) life = broadcastBlockDisconnected(life, gone.hash, NOW);
          }
          for (const wanted of next.blocks) {
            const holds = wanted && !chain.some((block) => block.holds);
            const block = { height: chain.length, hash: `b${(made += 1)}` };
            chain.push({ hash: block.hash, holds });
            life = broadcastBlockConnected(life, block, holds);
          }
          const at = chain.findIndex((block) => block.holds);
          const depthNow = at < 0 ? 0 : chain.length - at;
          expect(life.state).toBe(depthNow === 0 ? 'stored' : depthNow >= 6 ? 'buried' : 'confirmed');
          expect(life.confirmations).toBe(Math.min(depthNow, 6) === depthNow ? depthNow : life.confirmations);
          expect(life.inclusion?.hash).toBe(chain[at]?.hash);
          expect(life.nextAttemptMs === null).toBe(depthNow > 0);
        }
      }),
    );
  });

  it('names every refusal and tries it again with growing pauses, up to ten minutes', () => {
    let life: BroadcastLife = storedLife(NOW);
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      life = attempted(life, answer('below-min-fee', 'min relay fee not met'), NOW);
      expect(life).toMatchObject({ state: 'rejected', code: 'below-min-fee', reason: 'min relay fee not met' });
      pauses.push((life.nextAttemptMs ?? 0) - NOW);
    }
    expect(pauses.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(Math.max(...pauses)).toBe(600_000);
    expect(attempted(life, answer('accepted'), NOW)).toMatchObject({ state: 'mempool', code: null, attempts: 0 });
  });

  it('tells a conflict from a refusal and a silent node from both', () => {
    const life = storedLife(NOW);
    expect(attempted(life, answer('conflict'), NOW).state).toBe('conflicted');
    expect(attempted(life, doubleSpent(null, 0), NOW)).toMatchObject({ state: 'conflicted', code: 'double-spent' });
    expect(attempted(life, answer('script-rejected'), NOW)).toMatchObject({
      state: 'rejected',
      code: 'script-rejected',
    });
    expect(attempted(life, { kind: 'no-answer' }, NOW)).toMatchObject({ state: 'stored', attempts: 1 });
  });

  it('ends where another is buried in its place, and only there, after any reorganisations', () => {
    fc.assert(
      fc.property(fc.array(rivalMove, { maxLength: 20 }), (moves) => {
        const chain: { height: number; hash: string; holdsRival: boolean }[] = [];
        let made = 0;
        let life = storedLife(NOW);
        for (const { depth, blocks, look } of moves) {
          for (const gone of chain.splice(Math.max(0, chain.length - depth)).reverse()) {
            life = broadcastBlockDisconnected(life, gone.hash, NOW);
          }
          for (const wanted of blocks) {
            const holdsRival = wanted && !chain.some((block) => block.holdsRival);
            const block = { height: chain.length, hash: `b${(made += 1)}`, holdsRival };
            chain.push(block);
            life = broadcastBlockConnected(life, block, false);
          }
          const place = chain.find((block) => block.holdsRival);
          const confirmations = place === undefined ? 0 : chain.length - place.height;
          if (look && life.state !== 'overtaken') {
            const rival = place && { txid: 'r', height: place.height, hash: place.hash };
            life = attempted(life, rival ? doubleSpent(rival, confirmations) : answer('accepted'), NOW);
            const buried = confirmations >= 6 ? 'overtaken' : 'conflicted';
            expect(life.state).toBe(rival === undefined ? 'mempool' : buried);
          }
          // It is over only while the block is there that ended it, and else is tried again.
          if (life.state === 'overtaken') expect(life.rival?.hash).toBe(place?.hash);
          else expect(life.nextAttemptMs).not.toBeNull();
        }
      }),
    );
  });

  it('does not end by what nobody can place, and is sent no more once it has ended', () => {
    expect(attempted(storedLife(NOW), doubleSpent(null, 100), NOW).state).toBe('conflicted');
    const ended = attempted(storedLife(NOW), doubleSpent({ txid: null, height: 5, hash: 'a' }, 6), NOW);
    expect(ended).toMatchObject({ state: 'overtaken', code: 'double-spent', nextAttemptMs: null });
    expect(attempted(ended, answer('accepted'), NOW)).toBe(ended);
    expect(broadcastBlockDisconnected(ended, 'b', NOW)).toBe(ended);
    expect(broadcastBlockDisconnected(ended, 'a', NOW)).toEqual(storedLife(NOW));
    expect(broadcastBlockConnected(ended, { height: 12, hash: 'c' }, true)).toMatchObject({
      state: 'confirmed',
      rival: null,
    });
    expect(withdrawn(ended)).toMatchObject({ state: 'withdrawn', rival: null });
  });

  it('is moved by blocks alone once it is in one', () => {
    const confirmed = broadcastBlockConnected(storedLife(NOW), { height: 5, hash: 'a' }, true);
    expect(attempted(confirmed, answer('missing-inputs'), NOW)).toBe(confirmed);
    const found = attempted(
      storedLife(NOW),
      { kind: 'in-chain', inclusion: { height: 5, hash: 'a' }, confirmations: 9 },
      NOW,
    );
    expect(found).toMatchObject({ state: 'buried', confirmations: 9, nextAttemptMs: null });
  });

  it('is sent no more once it is withdrawn, and still moved by the block that holds it', () => {
    const life = withdrawn(attempted(storedLife(NOW), answer('accepted'), NOW));
    expect(life).toMatchObject({ state: 'withdrawn', nextAttemptMs: null });
    expect(attempted(life, answer('accepted'), NOW)).toBe(life);
    const mined = broadcastBlockConnected(life, { height: 5, hash: 'a' }, true);
    expect(mined.state).toBe('confirmed');
    expect(withdrawn(mined)).toBe(mined);
  });

  it('is sent again at once when its block is lost, even after burial', () => {
    let life = broadcastBlockConnected(storedLife(0), { height: 5, hash: 'a' }, true);
    for (let height = 6; height <= 12; height += 1)
      life = broadcastBlockConnected(life, { height, hash: `${height}` }, false);
    expect(life.state).toBe('buried');
    expect(broadcastBlockDisconnected(life, 'a', NOW)).toEqual(storedLife(NOW));
  });
});
