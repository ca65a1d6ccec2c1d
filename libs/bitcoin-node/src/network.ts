import type { NodeResult } from './errors.js';
import { succeed } from './errors.js';
import type { BitcoinNode } from './node.js';

/** Network names of a deployment. The Bitcoin Cash names sign with the FORKID digest, the others with the legacy one. */
export const networkNames = [
  'mainnet',
  'testnet3',
  'regtest',
  'mainnet_bitcoin_cash',
  'testnet_bitcoin_cash',
  'regtest_bitcoin_cash',
] as const;

export type NetworkName = (typeof networkNames)[number];

/** True if the text is one of the six network names. */
export const isNetworkName = (text: string): text is NetworkName => (networkNames as readonly string[]).includes(text);

/** Does the node follow the chain that the deployment was configured for? */
export type NetworkVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason:
        /** The node says it runs another chain, e.g. testnet where mainnet was configured. */
        | 'other-chain'
        /** Same genesis, other side of the Bitcoin Cash fork of 2017. */
        | 'other-fork';
      /** What the node said, for the message to the operator. */
      readonly found: string;
      readonly message: string;
    };

/** Values of `chain` in getblockchaininfo that fit a network. Signet has testnet3's address versions and rules. */
const CHAINS: Record<NetworkName, readonly string[]> = {
  mainnet: ['main'],
  testnet3: ['test', 'signet'],
  regtest: ['regtest'],
  mainnet_bitcoin_cash: ['main'],
  // BCHN's other test chains have testnet3's address versions and rules.
  testnet_bitcoin_cash: ['test', 'test4', 'chip'],
  // A plain regtest node is allowed: it refuses the FORKID signatures, which is then a named broadcast state.
  regtest_bitcoin_cash: ['regtest'],
};

/** First block that only Bitcoin Cash has. Source: the checkpoints of Bitcoin Cash nodes and Electron Cash. */
const FORK_BLOCKS: Partial<Record<string, { height: number; cashHash: string }>> = {
  main: { height: 478_559, cashHash: '000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec' },
  test: { height: 1_155_876, cashHash: '00000000000e38fef93ed9582a7df43815d5c2ba9fd37ef70c9a0ea4a285b8f5' },
};

const CASH_AGENT = /bitcoin cash|bchn|bchd|bchunlimited|bitcoinunlimited|flowee|knuth/i;

/**
 * Compares the node's chain with the configured network. Mainnet and testnet3 share their genesis with their Bitcoin
 * Cash twins, so there the first block after the fork decides, or the user agent while the node has not got that far.
 */
export async function checkNetwork(node: BitcoinNode, network: NetworkName): Promise<NodeResult<NetworkVerdict>> {
  const info = await node.chainInfo();
  if (!info.ok) return info;
  const { chain } = info.value;
  if (!CHAINS[network].includes(chain)) {
    const message = `the Bitcoin node runs chain "${chain}", but the network "${network}" needs ${CHAINS[network].map((name) => `"${name}"`).join(' or ')}`;
    return succeed({ ok: false, reason: 'other-chain', found: chain, message });
  }
  const fork = FORK_BLOCKS[chain];
  if (!fork) return succeed({ ok: true });
  const cash = await followsCash(node, fork, info.value.blocks);
  if (!cash.ok) return cash;
  const wanted = network.endsWith('_bitcoin_cash');
  if (cash.value === wanted) return succeed({ ok: true });
  const found = cash.value ? 'Bitcoin Cash' : 'Bitcoin';
  const message = `the Bitcoin node follows ${found}, but the network "${network}" is ${wanted ? 'Bitcoin Cash' : 'Bitcoin'}`;
  return succeed({ ok: false, reason: 'other-fork', found, message });
}

async function followsCash(
  node: BitcoinNode,
  fork: { height: number; cashHash: string },
  blocks: number,
): Promise<NodeResult<boolean>> {
  if (blocks >= fork.height) {
    const hash = await node.blockHash(fork.height);
    return hash.ok ? succeed(hash.value === fork.cashHash) : hash;
  }
  const agent = await node.userAgent();
  return agent.ok ? succeed(CASH_AGENT.test(agent.value)) : agent;
}
