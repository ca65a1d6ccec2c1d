import type { NodeResult } from './errors.js';
import type { BroadcastOutcome, PackageOutcome } from './broadcast-outcome.js';
import type { RawBlock } from './raw/block.js';
import type { Outpoint, RawTransaction } from './raw/transaction.js';

/** What a node implementation can do beyond the common part; asked once, instead of asking for its name. */
export interface NodeCapabilities {
  /** Names the mempool transaction that spends an outpoint (Bitcoin Core 24 and later). */
  readonly mempoolSpenders: boolean;
  /** Takes a parent and child together, so that the child pays for both (Bitcoin Core 26 and later). */
  readonly packages: boolean;
  /** Finds any confirmed transaction by its id alone. Without it, one is found while one of its outputs is unspent. */
  readonly transactionIndex: boolean;
  /** Tells of double spends that it or its peers refused (BCHN 22.2 and later, `getdsprooflist`). */
  readonly doubleSpendProofs: boolean;
  /** How a broadcast is limited: by a fee rate (Bitcoin Core), or only whether an absurd fee is let through (BCHN). */
  readonly feeLimit: 'rate' | 'flag';
}

/** That an output was signed away twice, as nodes of Bitcoin Cash tell one another. It does not name the refused transaction. */
export interface DoubleSpendProof {
  /** The proof's own id. */
  readonly id: string;
  /** The mempool transaction that was seen first; null where the node does not have it. */
  readonly txid: string | null;
  /** What is spent twice. */
  readonly outpoint: Outpoint;
}

export interface ChainInfo {
  /** The node's name of its chain: `main`, `test`, `signet`, `regtest`, … */
  readonly chain: string;
  readonly blocks: number;
  readonly headers: number;
  readonly bestHash: string;
  /** True while the node catches up, and on regtest until the first recent block. */
  readonly initialBlockDownload: boolean;
  readonly pruned: boolean;
}

export interface BlockRef {
  readonly height: number;
  /** Display order, lower-case hexadecimal, as all hashes here. */
  readonly hash: string;
}

export interface BlockHeader extends BlockRef {
  /** Null for the genesis block. */
  readonly previousHash: string | null;
  readonly timeSec: number;
  /** Median time of this block and its ten predecessors: the clock of BIP 68 and BIP 113. */
  readonly medianTimeSec: number;
  /** False once the block was reorganised away. */
  readonly inActiveChain: boolean;
}

/** Where the node has a transaction. */
export type TxPlace =
  | { readonly kind: 'mempool' }
  | { readonly kind: 'block'; readonly block: BlockRef; readonly confirmations: number }
  /** Only in a block that is no longer part of the active chain. */
  | { readonly kind: 'stale-block'; readonly blockHash: string };

export interface FoundTransaction {
  readonly transaction: RawTransaction;
  readonly hex: string;
  readonly place: TxPlace;
}

export interface UnspentOutput {
  readonly valueSat: bigint;
  readonly script: Uint8Array;
  /** 0 while unconfirmed. */
  readonly confirmations: number;
  /** The tip that the answer was made at. */
  readonly atBlockHash: string;
  readonly coinbase: boolean;
}

export interface MempoolEntry {
  readonly feeSat: bigint;
  readonly virtualSize: number;
  readonly timeSec: number;
  /** Including the transaction itself; 1 means that all its inputs are confirmed. */
  readonly ancestorCount: number;
  readonly ancestorVirtualSize: number;
  readonly ancestorFeeSat: bigint;
  readonly descendantCount: number;
  /** Ids of its unconfirmed parents. */
  readonly parents: readonly string[];
  /** BIP 125 signal, its own or inherited. Null where the node does not report it. */
  readonly signalsReplacement: boolean | null;
}

export interface MempoolInfo {
  readonly transactions: number;
  /** The lowest fee rate the mempool takes now, never below the relay minimum; satoshi per 1,000 virtual bytes. */
  readonly minFeeSatPerKvb: bigint;
  readonly minRelayFeeSatPerKvb: bigint;
  /** False while the node still reads its mempool from disk. */
  readonly loaded: boolean;
}

export interface SpendOfOutpoint {
  readonly outpoint: Outpoint;
  /** Id of the mempool transaction that spends it; null if there is none. */
  readonly spenderTxid: string | null;
}

export interface ScriptUnspent extends Outpoint {
  readonly valueSat: bigint;
  readonly script: Uint8Array;
  readonly height: number;
  readonly coinbase: boolean;
}

export interface BroadcastOptions {
  /** Refuse to send above this fee rate; 0n means no limit. The node's own default is 0.1 bitcoin per 1,000 vB. */
  readonly maxFeeRateSatPerKvb?: bigint;
}

/**
 * The link to a Bitcoin node. All methods answer with a result; an absent thing is `null`, a failed link an error.
 * Every adapter passes the compliance suite in testing/.
 */
export interface BitcoinNode {
  capabilities(): Promise<NodeResult<NodeCapabilities>>;
  chainInfo(): Promise<NodeResult<ChainInfo>>;
  /** The node's user agent, e.g. `/Satoshi:29.0.0/`. */
  userAgent(): Promise<NodeResult<string>>;

  tip(): Promise<NodeResult<BlockRef>>;
  /** Hash of the active chain's block at a height; null above the tip. */
  blockHash(height: number): Promise<NodeResult<string | null>>;
  header(hash: string): Promise<NodeResult<BlockHeader | null>>;
  /** The whole block, decoded. Error `block-unavailable` if it was pruned; null if the hash is unknown. */
  block(hash: string): Promise<NodeResult<RawBlock | null>>;

  /**
   * A transaction from mempool or chain. Without a transaction index a confirmed one is found through `hints`: a block
   * that holds it, or an output of it that is still unspent.
   */
  transaction(
    txid: string,
    hints?: { readonly blockHash?: string; readonly vout?: number },
  ): Promise<NodeResult<FoundTransaction | null>>;
  /** An output that nothing spends, confirmed or in the mempool; null if it is spent, there or in a block, or unknown. */
  unspentOutput(outpoint: Outpoint, scope?: 'chain-and-mempool' | 'chain'): Promise<NodeResult<UnspentOutput | null>>;
  /** Which mempool transactions spend these outpoints; at most `MAX_OUTPOINTS_PER_CALL` of them. Same order as asked. */
  mempoolSpenders(outpoints: readonly Outpoint[]): Promise<NodeResult<readonly SpendOfOutpoint[]>>;
  /** Unspent confirmed outputs that pay to these scripts. Slow (a scan of all outputs): for wallets, at start. */
  unspentByScript(scripts: readonly Uint8Array[]): Promise<NodeResult<readonly ScriptUnspent[]>>;

  /** Double spends of mempool transactions that are known; none where `capabilities().doubleSpendProofs` is false. */
  doubleSpendProofs(): Promise<NodeResult<readonly DoubleSpendProof[]>>;

  mempoolEntry(txid: string): Promise<NodeResult<MempoolEntry | null>>;
  mempoolInfo(): Promise<NodeResult<MempoolInfo>>;
  /** Fee rate in satoshi per 1,000 virtual bytes to be mined within so many blocks; null if the node has no estimate. */
  feeEstimate(targetBlocks: number): Promise<NodeResult<bigint | null>>;

  /** Hands a transaction to the node. The node's refusal is an outcome, not an error. */
  broadcast(hex: string, options?: BroadcastOptions): Promise<NodeResult<BroadcastOutcome>>;
  /** What `broadcast` would answer, without doing it. */
  testAccept(hex: string, options?: BroadcastOptions): Promise<NodeResult<BroadcastOutcome>>;
  /** Parents first, the child last; error `unsupported` where `capabilities().packages` is false. */
  submitPackage(hexes: readonly string[]): Promise<NodeResult<PackageOutcome>>;

  /** Gives up waiting calls and closes connections. */
  close(): void;
}

/** Bound of one question about outpoints: keeps a request below 100 kB and the node's answer quick. */
export const MAX_OUTPOINTS_PER_CALL = 500;
