import type { BitcoinNode } from '@seedfleet/bitcoin-node';
import { describe, expect, it } from 'vitest';
import { chainWatcherConfig, feeSource } from '../config.js';
import { FeeWatch } from './fee-rates.js';

/** The part of a node that fee rates are read from. */
function nodeEstimating(estimateSatPerKvb: bigint | null): BitcoinNode {
  const node: Partial<BitcoinNode> = {
    feeEstimate: () => Promise.resolve({ ok: true, value: estimateSatPerKvb }),
    mempoolInfo: () =>
      Promise.resolve({
        ok: true,
        value: { transactions: 0, minFeeSatPerKvb: 1_500n, minRelayFeeSatPerKvb: 1_000n, loaded: true },
      }),
  };
  return node as BitcoinNode;
}

describe('fee rates', () => {
  it('are the node’s estimates', async () => {
    const watch = new FeeWatch(nodeEstimating(7_000n));
    await watch.refresh(0);
    expect(watch.rates).toMatchObject({ sixBlocksSatPerKvb: 7_000n, mempoolMinimumSatPerKvb: 1_500n });
  });

  it('are 1 sat/vB where the node has no estimate', async () => {
    const watch = new FeeWatch(nodeEstimating(null));
    await watch.refresh(0);
    expect(watch.rates).toMatchObject({ threeBlocksSatPerKvb: 1_000n, sixBlocksDayMedianSatPerKvb: 1_000n });
  });

  it('do not follow what test wallets paid on regtest', async () => {
    const environment = { DATABASE_URL: 'postgres://a@b/c', BTC_RPC: 'http://b', NATS_URL: 'nats://b' };
    const source = (network: string) =>
      feeSource(chainWatcherConfig.parse({ ...environment, SEEDFLEET_NETWORK: network }));
    expect(source('mainnet')).toBe('node');
    expect(source('regtest')).toBe('fixed');
    const watch = new FeeWatch(nodeEstimating(20_000n), source('regtest'));
    await watch.refresh(0);
    expect(watch.rates.sixBlocksSatPerKvb).toBe(1_000n);
  });
});
