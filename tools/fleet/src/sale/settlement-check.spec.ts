import { Transaction } from 'bitcoinjs-lib';
import { describe, expect, it } from 'vitest';
import { outputValueSat, settlementDifferences, type SettledChannel } from './settlement-check.js';

// The worked example of the payment channel: P = 7, F = 450, V = 7509.
const channel: SettledChannel = {
  fundingTxid: 'a2d516a397442b173e93bd5e9abc3e8e368330ba0accf94bd13709f5d0f6543d',
  fundingVout: 0,
  fundingValueSat: 7509n,
  priceSat: 7n,
  settlementFeeSat: 450n,
  k: 987n,
};

function settlement(values: bigint[], change: (transaction: Transaction) => void = () => undefined): string {
  const transaction = new Transaction();
  transaction.version = 1;
  transaction.addInput(Buffer.from(channel.fundingTxid, 'hex').reverse(), 0, 0xffffffff);
  for (const value of values) transaction.addOutput(new Uint8Array(25), value);
  change(transaction);
  return transaction.toHex();
}

describe('the check of a mined settlement', () => {
  it('finds nothing wrong with the worked examples', () => {
    expect(settlementDifferences(settlement([600n, 6459n]), channel)).toEqual([]);
    expect(settlementDifferences(settlement([6508n, 551n]), { ...channel, k: 143n })).toEqual([]);
    expect(settlementDifferences(settlement([6515n]), { ...channel, k: 142n })).toEqual([]);
  });

  it('names every difference', () => {
    expect(settlementDifferences(settlement([601n, 6459n]), channel)).toEqual([
      'output values: 601 + 6459 instead of 600 + 6459',
    ]);
    expect(settlementDifferences(settlement([600n]), channel)).toHaveLength(1);
    expect(
      settlementDifferences(
        settlement([600n, 6459n], (tx) => (tx.version = 2)),
        channel,
      ),
    ).toEqual(['version: 2 instead of 1']);
    expect(settlementDifferences(settlement([600n, 6459n]), { ...channel, fundingVout: 1 })[0]).toMatch(
      /^spent output/,
    );
  });

  it('reads output values', () => {
    expect(outputValueSat(settlement([600n, 6459n]), 1)).toBe(6459n);
    expect(outputValueSat(settlement([600n]), 1)).toBeUndefined();
  });
});
