import { describe, expect, it } from 'vitest';
import { checkNetwork, isNetworkName, networkNames, type NetworkName } from './network.js';
import { ModelNode } from './testing/model-node.js';

const BTC_478559 = '00000000000000000019f112ec0a9982926f1258cdcc558dd7c3b7e5dc7fa148';
const BCH_478559 = '000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec';

function node(chain: string, blocks: number, forkHash?: string, agent = '/Satoshi:29.0.0/'): ModelNode {
  const model = new ModelNode();
  model.chain = chain;
  model.reportedBlocks = blocks;
  model.agent = agent;
  if (forkHash !== undefined) model.hashes.set(478_559, forkHash);
  return model;
}

async function verdict(model: ModelNode, network: NetworkName): Promise<string> {
  const result = await checkNetwork(model.asNode(), network);
  if (!result.ok) return result.error.code;
  return result.value.ok ? 'ok' : result.value.reason;
}

describe('checkNetwork', () => {
  it.each([
    ['main', 'mainnet', 'ok'],
    ['main', 'mainnet_bitcoin_cash', 'other-fork'],
    ['main', 'regtest', 'other-chain'],
    ['test', 'mainnet', 'other-chain'],
    ['signet', 'testnet3', 'ok'],
    ['signet', 'testnet_bitcoin_cash', 'other-chain'],
    ['regtest', 'regtest', 'ok'],
    ['regtest', 'regtest_bitcoin_cash', 'ok'],
  ] as const)('a Bitcoin node on %s for %s: %s', async (chain, network, expected) => {
    expect(await verdict(node(chain, 900_000, BTC_478559), network)).toBe(expected);
  });

  it('tells Bitcoin Cash by the fork block, and by the user agent before it', async () => {
    expect(await verdict(node('main', 900_000, BCH_478559), 'mainnet_bitcoin_cash')).toBe('ok');
    expect(await verdict(node('main', 900_000, BCH_478559), 'mainnet')).toBe('other-fork');
    const young = node('main', 1_000, undefined, '/Bitcoin Cash Node:27.1.0(EB32.0)/');
    expect(await verdict(young, 'mainnet_bitcoin_cash')).toBe('ok');
    expect(await verdict(young, 'mainnet')).toBe('other-fork');
    expect(await verdict(node('main', 1_000), 'mainnet')).toBe('ok');
  });

  it('names both sides in its message', async () => {
    const result = await checkNetwork(node('test', 5).asNode(), 'mainnet');
    expect(result).toMatchObject({ ok: true, value: { message: expect.stringMatching(/"test".*"mainnet".*"main"/) } });
  });

  it('knows exactly the six names', () => {
    expect(networkNames).toHaveLength(6);
    expect(isNetworkName('regtest')).toBe(true);
    expect(isNetworkName('signet')).toBe(false);
  });
});
