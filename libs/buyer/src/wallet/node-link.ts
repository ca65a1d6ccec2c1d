import { CoreNode, checkNetwork, type BitcoinNode, type NodeResult, type RpcOptions } from '@seedfleet/bitcoin-node';
import { isNetwork, type Network } from '@seedfleet/payment-channel';
import type { AccessOptions } from '../options.js';
import { BuyerError, ExitCode } from '../failure.js';

/** The Bitcoin node as the wallet uses it, and which rules apply. */
export interface NodeLink {
  readonly node: BitcoinNode;
  readonly rpc: RpcOptions;
  /** Signing rule of the channels. */
  readonly channelNetwork: Network;
  /** Signing rule of the wallet's own inputs: the node's. */
  readonly walletNetwork: Network;
}

/** Unwraps a node's answer. Throws `BuyerError` in the node's words. */
export function expectAnswer<T>(result: NodeResult<T>): T {
  if (result.ok) return result.value;
  const { code, method, message } = result.error;
  throw new BuyerError(ExitCode.failed, `node-${code}`, `the Bitcoin node did not answer ${method}: ${message}`);
}

const CHAIN_NETWORKS: Readonly<Record<string, Network>> = {
  main: 'mainnet',
  test: 'testnet3',
  signet: 'testnet3',
  regtest: 'regtest',
};

/** Connects to the node and settles the networks; the channels' is the node's unless one is named. */
export async function connectNode(options: AccessOptions): Promise<NodeLink> {
  const rpc: RpcOptions = {
    url: options.rpcUrl,
    ...(options.cookieFile === undefined ? {} : { cookieFile: options.cookieFile }),
  };
  const node = new CoreNode(rpc);
  const { chain } = expectAnswer(await node.chainInfo());
  const plain = CHAIN_NETWORKS[chain];
  if (plain === undefined) {
    throw new BuyerError(ExitCode.failed, 'wrong-network', `the Bitcoin node runs an unknown chain "${chain}"`);
  }
  const twin: Network =
    plain === 'testnet3' ? 'testnet_bitcoin_cash' : `${plain as 'mainnet' | 'regtest'}_bitcoin_cash`;
  const followsCash = /bitcoin cash|bchn/i.test(expectAnswer(await node.userAgent()));
  const walletNetwork = followsCash ? twin : plain;
  if (options.network === undefined) return { node, rpc, channelNetwork: walletNetwork, walletNetwork };
  if (!isNetwork(options.network)) {
    throw new BuyerError(ExitCode.usage, 'usage', `--network ${options.network}: there is no such network`);
  }
  const verdict = expectAnswer(await checkNetwork(node, options.network));
  if (!verdict.ok) throw new BuyerError(ExitCode.failed, 'wrong-network', verdict.message);
  return { node, rpc, channelNetwork: options.network, walletNetwork };
}
