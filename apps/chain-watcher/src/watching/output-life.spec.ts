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
  /** Spends an input of the funding. */
  readonly rival: string | null;
}

type Mempool = Parameters<typeof mempoolRead>[1];

/** A chain and a mempool that hold a funding and its spends as consensus allows, with the truth read off at once. */
class World {
  chain: Block[] = [];
  mempool: Mempool = { funded: false, spenderTxid: null, conflictTxid: null };
  /** The newest rival that showed itself since the funding was in a block. */
  seenRival: string | null = null;
  #made = 0;

  get fundedAt(): number {
    return this.chain.findIndex((block) => block.funds);
  }
  get spentAt(): number {
    return this.chain.findIndex((block) => block.spender !== null);
  }

  get rivalAt(): number {
    return this.chain.findIndex((block) => block.rival !== null);
  }

  mine(wish: Wish): Block {
    const open = this.fundedAt < 0 && this.rivalAt < 0;
    const funds = wish.funds && open;
    const rival = open && !funds ? wish.rival : null;
    if (funds) this.seenRival = null;
    else this.seenRival = rival ?? this.seenRival;
    const spendable = (funds || this.fundedAt >= 0) && this.spentAt < 0;
    this.#made += 1;
    const block = { hash: `b${this.#made}`, funds, spender: spendable ? wish.spender : null, rival };
    this.chain.push(block);
    return block;
  }

  /** The mempool now; consensus leaves no room for a rival beside the funding. */
  hold({ funded, spenderTxid, conflictTxid }: Mempool): Mempool {
    const isOpen = this.fundedAt < 0 && this.rivalAt < 0;
    this.mempool = { funded, spenderTxid, conflictTxid: isOpen && !funded ? conflictTxid : null };
    this.seenRival = this.mempool.conflictTxid ?? this.seenRival;
    return this.mempool;
  }

  /** The rival that counts: none beside a mined funding, the mined one, or the newest that was seen. */
  rival(): { txid: string; height: number | null } | null {
    if (this.fundedAt >= 0) return null;
    const height = this.rivalAt;
    const mined = this.chain[height]?.rival;
    if (mined) return { txid: mined, height };
    return this.seenRival === null ? null : { txid: this.seenRival, height: null };
  }

  /** What a node without any history would say. */
  truth(): { state: string; confirmations: number; spendTxid: string | null } {
    const { fundedAt, spentAt } = this;
    const depth = fundedAt < 0 ? 0 : this.chain.length - fundedAt;
    const mined = this.chain[spentAt]?.spender;
    if (mined) return { state: 'spent-confirmed', confirmations: depth, spendTxid: mined };
    const { spenderTxid, funded } = this.mempool;
    if (spenderTxid !== null) return { state: 'spent-mempool', confirmations: depth, spendTxid: spenderTxid };
    const state = fundedAt >= 0 ? 'confirmed' : funded ? 'mempool' : 'unseen';
    return { state, confirmations: depth, spendTxid: null };
  }
}

type Wish = Omit<Block, 'hash'>;

const rivals = fc.constantFrom(null, 'rival', 'another');
const spenders = fc.constantFrom(null, 'ours', 'theirs');
const wish = fc.record({ funds: fc.boolean(), spender: spenders, rival: rivals });
const move = fc.record({
  depth: fc.integer({ min: 0, max: 6 }),
  blocks: fc.array(wish, { maxLength: 7 }),
  mempool: fc.record({ funded: fc.boolean(), spenderTxid: spenders, conflictTxid: rivals }),
});

const NOTHING = { creates: false, spenderTxid: null, conflictTxid: null } as const;

const mtp = (height: number): number => 1_000 + height;

function follow(life: OutputLife, world: World, next: { depth: number; blocks: Wish[] }): OutputLife {
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
      { creates: block.funds, spenderTxid: block.spender, conflictTxid: block.rival },
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
          life = mempoolRead(life, world.hold(next.mempool));
          const tip = world.chain.length - 1;
          const truth = world.truth();
          expect(outputState(life)).toBe(truth.state);
          expect(confirmations(life, tip)).toBe(truth.confirmations);
          expect(life.spend?.txid ?? null).toBe(truth.spendTxid);
          const rival = world.rival();
          expect([life.conflict?.txid, life.conflict?.height]).toEqual([rival?.txid, rival?.height]);
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
          life = follow(life, world, next);
          life = mempoolRead(life, world.hold(next.mempool));
        }
        expect(mempoolRead(life, world.mempool)).toBe(life);
        expect(blockDisconnected(life, 'another')).toBe(life);
        expect(blockConnected(life, { height: 99, hash: 'x', previousMtp: 0 }, NOTHING)).toBe(life);
      }),
    );
  });

  it('expects what a lost block held back in the mempool until that was read', () => {
    let life = blockConnected(UNSEEN, { height: 5, hash: 'a', previousMtp: 40 }, { ...NOTHING, creates: true });
    life = blockConnected(life, { height: 6, hash: 'b', previousMtp: 50 }, { ...NOTHING, spenderTxid: 'ours' });
    expect(outputState(life)).toBe('spent-confirmed');
    life = blockDisconnected(life, 'b');
    expect(life.spend).toEqual({ txid: 'ours', height: null, hash: null });
    life = blockDisconnected(life, 'a');
    expect(outputState(life)).toBe('spent-mempool');
    expect(outputState(mempoolRead(life, { funded: false, spenderTxid: null, conflictTxid: null }))).toBe('unseen');
  });

  it('is news at each block until funding and spend have six confirmations', () => {
    const life = blockConnected(UNSEEN, { height: 10, hash: 'a', previousMtp: 0 }, { ...NOTHING, creates: true });
    expect([10, 15, 16].map((tip) => isAging(life, tip))).toEqual([true, true, false]);
    const spent = blockConnected(life, { height: 30, hash: 'b', previousMtp: 0 }, { ...NOTHING, spenderTxid: 's' });
    expect([30, 35, 36].map((tip) => isAging(spent, tip))).toEqual([true, true, false]);
    expect(isAging(UNSEEN, 10)).toBe(false);
  });
});
