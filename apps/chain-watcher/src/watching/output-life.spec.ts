import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockConnected,
  blockDisconnected,
  confirmations,
  isAging,
  mempoolRead,
  outputState,
  UNSEEN,
  type OutputLife,
} from './output-life.js';

interface Block {
  readonly hash: string;
  readonly funds: boolean;
  readonly spender: string | null;
}

/** A chain and a mempool that hold a funding and its spends as consensus allows, with the truth read off at once. */
class World {
  chain: Block[] = [];
  mempool: { funded: boolean; spender: string | null } = { funded: false, spender: null };
  #made = 0;

  get fundedAt(): number {
    return this.chain.findIndex((block) => block.funds);
  }
  get spentAt(): number {
    return this.chain.findIndex((block) => block.spender !== null);
  }

  mine(wish: { funds: boolean; spender: string | null }): Block {
    const funds = wish.funds && this.fundedAt < 0;
    const spendable = (funds || this.fundedAt >= 0) && this.spentAt < 0;
    this.#made += 1;
    const block = { hash: `b${this.#made}`, funds, spender: spendable ? wish.spender : null };
    this.chain.push(block);
    return block;
  }

  /** What a node without any history would say. */
  truth(): { state: string; confirmations: number; spendTxid: string | null } {
    const { fundedAt, spentAt } = this;
    const depth = fundedAt < 0 ? 0 : this.chain.length - fundedAt;
    const mined = this.chain[spentAt]?.spender;
    if (mined) return { state: 'spent-confirmed', confirmations: depth, spendTxid: mined };
    const { spender, funded } = this.mempool;
    if (spender !== null) return { state: 'spent-mempool', confirmations: depth, spendTxid: spender };
    const state = fundedAt >= 0 ? 'confirmed' : funded ? 'mempool' : 'unseen';
    return { state, confirmations: depth, spendTxid: null };
  }
}

const wish = fc.record({ funds: fc.boolean(), spender: fc.constantFrom(null, 'ours', 'theirs') });
const move = fc.record({
  depth: fc.integer({ min: 0, max: 6 }),
  blocks: fc.array(wish, { maxLength: 7 }),
  mempool: fc.record({ funded: fc.boolean(), spender: fc.constantFrom(null, 'ours', 'theirs') }),
});

const mtp = (height: number): number => 1_000 + height;

function follow(
  life: OutputLife,
  world: World,
  next: { depth: number; blocks: { funds: boolean; spender: string | null }[] },
): OutputLife {
  let followed = life;
  for (let undone = 0; undone < next.depth; undone += 1) {
    const gone = world.chain.pop();
    if (gone) followed = blockDisconnected(followed, gone.hash);
  }
  for (const blockWish of next.blocks) {
    const block = world.mine(blockWish);
    const height = world.chain.length - 1;
    followed = blockConnected(
      followed,
      { height, hash: block.hash, previousMtp: mtp(height) },
      { creates: block.funds, spenderTxid: block.spender },
    );
  }
  return followed;
}

describe('the life of a watched output', () => {
  it('ends where a fresh look at chain and mempool would, after any reorganisations', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
        const world = new World();
        let life = UNSEEN;
        for (const next of moves) {
          life = follow(life, world, next);
          world.mempool = next.mempool;
          life = mempoolRead(life, { funded: next.mempool.funded, spenderTxid: next.mempool.spender });
          const tip = world.chain.length - 1;
          const truth = world.truth();
          expect(outputState(life)).toBe(truth.state);
          expect(confirmations(life, tip)).toBe(truth.confirmations);
          expect(life.spend?.txid ?? null).toBe(truth.spendTxid);
          if (life.funding.kind === 'block') {
            expect(life.funding.hash).toBe(world.chain[life.funding.height]?.hash);
            expect(life.funding.mtp).toBe(mtp(life.funding.height));
          }
        }
      }),
    );
  });

  it('takes repeated news without a change', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 8 }), (moves) => {
        const world = new World();
        let life = UNSEEN;
        for (const next of moves) {
          life = mempoolRead(follow(life, world, next), {
            funded: next.mempool.funded,
            spenderTxid: next.mempool.spender,
          });
        }
        const last = moves.at(-1)?.mempool ?? { funded: false, spender: null };
        expect(mempoolRead(life, { funded: last.funded, spenderTxid: last.spender })).toBe(life);
        expect(blockDisconnected(life, 'another')).toBe(life);
        expect(
          blockConnected(life, { height: 99, hash: 'x', previousMtp: 0 }, { creates: false, spenderTxid: null }),
        ).toBe(life);
      }),
    );
  });

  it('expects what a lost block held back in the mempool until that was read', () => {
    let life = blockConnected(UNSEEN, { height: 5, hash: 'a', previousMtp: 40 }, { creates: true, spenderTxid: null });
    life = blockConnected(life, { height: 6, hash: 'b', previousMtp: 50 }, { creates: false, spenderTxid: 'ours' });
    expect(outputState(life)).toBe('spent-confirmed');
    life = blockDisconnected(life, 'b');
    expect(life.spend).toEqual({ txid: 'ours', height: null, hash: null });
    life = blockDisconnected(life, 'a');
    expect(outputState(life)).toBe('spent-mempool');
    expect(outputState(mempoolRead(life, { funded: false, spenderTxid: null }))).toBe('unseen');
  });

  it('is news at each block until funding and spend have six confirmations', () => {
    const life = blockConnected(
      UNSEEN,
      { height: 10, hash: 'a', previousMtp: 0 },
      { creates: true, spenderTxid: null },
    );
    expect([10, 15, 16].map((tip) => isAging(life, tip))).toEqual([true, true, false]);
    const spent = blockConnected(life, { height: 30, hash: 'b', previousMtp: 0 }, { creates: false, spenderTxid: 's' });
    expect([30, 35, 36].map((tip) => isAging(spent, tip))).toEqual([true, true, false]);
    expect(isAging(UNSEEN, 10)).toBe(false);
  });
});
