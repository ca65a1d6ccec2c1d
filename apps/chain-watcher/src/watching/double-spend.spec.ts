import fc from 'fast-check';
import { expect, it } from 'vitest';
import { provenRivals } from './double-spend.js';
import { blockConnected, mempoolRead, UNSEEN } from './output-life.js';

const id = (n: number): string => n.toString(16).padStart(64, '0');
const proof = fc.record({
  id: fc.integer({ min: 1_000, max: 1_010 }).map(id),
  txid: fc.option(fc.integer({ min: 0, max: 5 }).map(id), { nil: null }),
  outpoint: fc.record({ txid: fc.integer({ min: 100, max: 103 }).map(id), vout: fc.nat({ max: 2 }) }),
});
const output = fc.record({
  txid: fc.integer({ min: 0, max: 5 }).map(id),
  inputs: fc.array(
    fc.tuple(fc.integer({ min: 100, max: 103 }), fc.nat({ max: 2 })).map(([n, vout]) => `${id(n)}:${vout}`),
    { maxLength: 4 },
  ),
});

it('doubts a funding if and only if a proof names it, or one of its inputs', () => {
  fc.assert(
    fc.property(fc.array(output, { maxLength: 6 }), fc.array(proof, { maxLength: 6 }), (outputs, proofs) => {
      const rivals = provenRivals(outputs, proofs);
      for (const { txid } of outputs) {
        const about = outputs
          .filter((one) => one.txid === txid)
          .flatMap(({ inputs }) =>
            proofs.filter((one) => one.txid === txid || inputs.includes(`${one.outpoint.txid}:${one.outpoint.vout}`)),
          );
        if (about.length === 0) expect(rivals.has(txid)).toBe(false);
        else expect(about.map((one) => one.id)).toContain(rivals.get(txid));
      }
    }),
  );
});

it('stops what is still in the mempool, and is forgotten when that is in a block', () => {
  const seen = { funded: true, spenderTxid: null };
  const doubted = mempoolRead(UNSEEN, { ...seen, conflictTxid: id(1_000) });
  expect(doubted).toMatchObject({ funding: { kind: 'mempool' }, conflict: { txid: id(1_000), height: null } });
  // A proof is remembered when the node's list has lost it.
  expect(mempoolRead(doubted, { ...seen, conflictTxid: null })).toBe(doubted);
  const block = { height: 7, hash: id(7), previousMtp: 0 };
  expect(blockConnected(doubted, block, { creates: true, spenderTxid: null, conflictTxid: null }).conflict).toBeNull();
  // The other one was mined: from then on it is known by its name.
  const lost = blockConnected(doubted, block, { creates: false, spenderTxid: null, conflictTxid: id(9) });
  expect(lost.conflict).toEqual({ txid: id(9), height: 7, hash: id(7) });
});
