export { decimalFromSat, satFromDecimal } from './amounts.js';
export { nextSteps, type ChainSteps, type FollowOutcome, type KnownChain } from './block-follower.js';
export {
  classifyRefusal,
  isHeldByNode,
  type BroadcastCode,
  type BroadcastOutcome,
  type PackageOutcome,
} from './broadcast-outcome.js';
export { CoreNode } from './core/core-node.js';
export { fail, succeed, type NodeError, type NodeErrorCode, type NodeResult } from './errors.js';
export { parseJsonExact } from './json-exact.js';
export { checkNetwork, isNetworkName, networkNames, type NetworkName, type NetworkVerdict } from './network.js';
export * from './node.js';
export { parseBlock, type RawBlock } from './raw/block.js';
export {
  parseTransaction,
  parseTransactionHex,
  type Outpoint,
  type RawTransaction,
  type TxInput,
  type TxOutput,
} from './raw/transaction.js';
export { RegtestControl } from './regtest.js';
export { RpcClient, type CallOptions, type RpcOptions } from './rpc/client.js';
export { findConfirmedSpends, outpointKey, type ConfirmedSpend } from './spender-search.js';
export { listenForHints, type NodeHint, type ZmqHintOptions } from './zmq-hints.js';
