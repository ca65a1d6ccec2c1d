import { describe, expect, it } from 'vitest';
import type { RawTransaction } from '@seedfleet/bitcoin-node';
import { blockEffects } from './block-effects.js';

const transaction = (txid: string, inputs: [string, number][]): RawTransaction => ({
  txid,
  version: 2,
  inputs: inputs.map(([parent, vout]) => ({ txid: parent, vout, sequence: 0, scriptSig: new Uint8Array() })),
  outputs: [],
  lockTime: 0,
  sizeBytes: 100,
  virtualSize: 100,
});

describe('blockEffects', () => {
  it('lists what a block creates and who spends what, also within the block', () => {
    const effects = blockEffects({
      hash: 'h',
      previousHash: 'p',
      timeSec: 0,
      transactions: [
        transaction('a', [['x', 1]]),
        transaction('b', [
          ['a', 0],
          ['y', 2],
        ]),
      ],
    });
    expect([...effects.created.keys()]).toEqual(['a', 'b']);
    expect(Object.fromEntries(effects.spenders)).toEqual({ 'x:1': 'a', 'a:0': 'b', 'y:2': 'b' });
    expect([...effects.touched].sort()).toEqual(['a', 'b', 'x', 'y']);
  });
});
