import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSteps, type FollowOutcome } from './block-follower.js';
import type { BitcoinNode, BlockRef } from './node.js';
import { ModelNode } from './testing/model-node.js';

const OPTIONS = { startHeight: 0, batch: 4 };

async function step(node: BitcoinNode, known: readonly BlockRef[], options = OPTIONS): Promise<FollowOutcome> {
  const result = await nextSteps(node, known, options);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** Applies steps like a caller does, checking that each one fits. Newest first. */
function apply(known: readonly BlockRef[], outcome: FollowOutcome): readonly BlockRef[] {
  if (outcome.kind !== 'steps') throw new Error(outcome.kind);
  const chain = [...known];
  for (const gone of outcome.steps.disconnect) expect(chain.shift()?.hash).toBe(gone.hash);
  for (const header of outcome.steps.connect) {
    const tip = chain[0];
    if (tip) expect(header.previousHash).toBe(tip.hash);
    chain.unshift({ height: header.height, hash: header.hash });
  }
  return chain;
}

async function catchUp(node: BitcoinNode, known: readonly BlockRef[]): Promise<readonly BlockRef[]> {
  let chain = known;
  for (;;) {
    const outcome = await step(node, chain);
    chain = apply(chain, outcome);
    if (outcome.kind === 'steps' && !outcome.steps.more) return chain;
  }
}

const move = fc.oneof(
  fc.record({ kind: fc.constant('extend' as const), blocks: fc.integer({ min: 0, max: 9 }) }),
  fc.record({
    kind: fc.constant('reorganise' as const),
    depth: fc.integer({ min: 1, max: 8 }),
    blocks: fc.integer({ min: 0, max: 9 }),
  }),
);

describe('nextSteps', () => {
  it('ends on the active chain after any sequence of growth and reorganisation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 12 }), async (moves) => {
        const model = new ModelNode();
        const node = model.asNode();
        let chain: readonly BlockRef[] = await catchUp(node, []);
        for (const next of moves) {
          if (next.kind === 'extend') model.extend(next.blocks);
          else model.reorganise(next.depth, next.blocks);
          chain = await catchUp(node, chain);
          expect(chain.map((block) => block.hash)).toEqual([...model.active].reverse().map((block) => block.hash));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never connects blocks that do not chain, however the tip moves between two answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }), async (moves) => {
        const model = new ModelNode();
        model.extend(10);
        const node = model.asNode();
        let chain: readonly BlockRef[] = await catchUp(node, []);
        const script = [...moves];
        model.beforeAnswer = () => {
          const depth = script.shift() ?? 0;
          if (depth > 0) model.reorganise(depth, depth + 1);
        };
        for (let round = 0; round < 12; round += 1) chain = apply(chain, await step(node, chain));
        model.beforeAnswer = () => {};
        chain = await catchUp(node, chain);
        expect(chain[0]?.hash).toBe(model.active.at(-1)?.hash);
      }),
      { numRuns: 60 },
    );
  });

  it('starts at the height it is given and works in batches', async () => {
    const model = new ModelNode();
    model.extend(20);
    const outcome = await step(model.asNode(), [], { startHeight: 10, batch: 4 });
    expect(outcome).toMatchObject({ kind: 'steps', steps: { disconnect: [], more: true } });
    expect(outcome.kind === 'steps' && outcome.steps.connect.map((header) => header.height)).toEqual([10, 11, 12, 13]);
  });

  it('says so when no remembered block is active', async () => {
    const model = new ModelNode();
    model.extend(5);
    const outcome = await step(model.asNode(), [{ height: 3, hash: 'f'.repeat(64) }]);
    expect(outcome).toMatchObject({ kind: 'no-common-block', tip: { height: 5 } });
  });
});
