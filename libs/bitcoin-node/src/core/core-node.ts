import type { BroadcastOutcome, PackageOutcome } from '../broadcast-outcome.js';
import { fail, succeed, type NodeResult } from '../errors.js';
import {
  MAX_OUTPOINTS_PER_CALL,
  type BitcoinNode,
  type BlockHeader,
  type BlockRef,
  type BroadcastOptions,
  type ChainInfo,
  type DoubleSpendProof,
  type FoundTransaction,
  type MempoolEntry,
  type MempoolInfo,
  type NodeCapabilities,
  type ScriptUnspent,
  type SpendOfOutpoint,
  type TxPlace,
  type UnspentOutput,
} from '../node.js';
import { parseBlock, type RawBlock } from '../raw/block.js';
import { parseTransactionHex, type Outpoint } from '../raw/transaction.js';
import { RpcClient, type RpcOptions } from '../rpc/client.js';
import { broadcast, submitPackage, testBroadcast } from './broadcast.js';
import { readCapabilities } from './capabilities.js';
import { MempoolScan } from './mempool-scan.js';
import * as schemas from './schemas.js';
import { absentAsNull, isRpcError, typedCall } from './typed-rpc.js';

const RPC_MISC_ERROR = -1;
const RPC_INVALID_PARAMETER = -8;
/** A scan of all unspent outputs takes minutes on mainnet. */
const SCAN_TIMEOUT_MS = 600_000;

/** Adapter for Bitcoin Core, Bitcoin Knots and, where their RPC agrees, BCHN. */
export class CoreNode implements BitcoinNode {
  readonly #rpc: RpcClient;
  readonly #scan: MempoolScan;
  #capabilities: NodeCapabilities | undefined;

  constructor(options: RpcOptions) {
    this.#rpc = new RpcClient(options);
    this.#scan = new MempoolScan(this.#rpc);
  }

  async capabilities(): Promise<NodeResult<NodeCapabilities>> {
    if (this.#capabilities) return succeed(this.#capabilities);
    const read = await readCapabilities(this.#rpc);
    if (read.ok) this.#capabilities = read.value;
    return read;
  }

  async chainInfo(): Promise<NodeResult<ChainInfo>> {
    const info = await typedCall(this.#rpc, schemas.chainInfo, 'getblockchaininfo');
    if (!info.ok) return info;
    const { chain, blocks, headers, pruned } = info.value;
    return succeed({
      chain,
      blocks,
      headers,
      pruned,
      bestHash: info.value.bestblockhash,
      initialBlockDownload: info.value.initialblockdownload,
    });
  }

  async userAgent(): Promise<NodeResult<string>> {
    const info = await typedCall(this.#rpc, schemas.networkInfo, 'getnetworkinfo');
    return info.ok ? succeed(info.value.subversion) : info;
  }

  async tip(): Promise<NodeResult<BlockRef>> {
    const info = await this.chainInfo();
    return info.ok ? succeed({ height: info.value.blocks, hash: info.value.bestHash }) : info;
  }

  async blockHash(height: number): Promise<NodeResult<string | null>> {
    return absentAsNull(await typedCall(this.#rpc, schemas.blockHash, 'getblockhash', [height]), [
      RPC_INVALID_PARAMETER,
    ]);
  }

  async header(hash: string): Promise<NodeResult<BlockHeader | null>> {
    const found = absentAsNull(await typedCall(this.#rpc, schemas.header, 'getblockheader', [hash, true]));
    if (!found.ok || found.value === null) return found as NodeResult<null>;
    const header = found.value;
    return succeed({
      hash: header.hash,
      height: header.height,
      previousHash: header.previousblockhash ?? null,
      timeSec: header.time,
      medianTimeSec: header.mediantime,
      inActiveChain: header.confirmations > 0,
    });
  }

  async block(hash: string): Promise<NodeResult<RawBlock | null>> {
    const hex = await typedCall(this.#rpc, schemas.hexData, 'getblock', [hash, 0]);
    if (!hex.ok) {
      if (isRpcError(hex.error, [RPC_MISC_ERROR])) return fail({ ...hex.error, code: 'block-unavailable' });
      return absentAsNull<null>(hex);
    }
    const block = parseBlock(Buffer.from(hex.value, 'hex'));
    if (block?.hash === hash) return succeed(block);
    return fail({ code: 'malformed-response', method: 'getblock', message: `block ${hash} does not decode to itself` });
  }

  async transaction(
    txid: string,
    hints: { readonly blockHash?: string; readonly vout?: number } = {},
  ): Promise<NodeResult<FoundTransaction | null>> {
    const direct = absentAsNull(await typedCall(this.#rpc, schemas.transaction, 'getrawtransaction', [txid, true]));
    if (!direct.ok) return direct;
    if (direct.value !== null) return this.#found(txid, direct.value);
    const blockHash = hints.blockHash ?? (await this.#blockOfUnspent(txid, hints.vout));
    if (blockHash === undefined) return succeed(null);
    const inBlock = absentAsNull(
      await typedCall(this.#rpc, schemas.transaction, 'getrawtransaction', [txid, true, blockHash]),
    );
    if (!inBlock.ok || inBlock.value === null) return inBlock as NodeResult<null>;
    return this.#found(txid, { ...inBlock.value, blockhash: blockHash });
  }

  async unspentOutput(
    outpoint: Outpoint,
    scope: 'chain-and-mempool' | 'chain' = 'chain-and-mempool',
  ): Promise<NodeResult<UnspentOutput | null>> {
    const params = [outpoint.txid, outpoint.vout, scope === 'chain-and-mempool'];
    const found = await typedCall(this.#rpc, schemas.unspentOutput, 'gettxout', params);
    if (!found.ok || found.value === null) return found as NodeResult<null>;
    return succeed({
      valueSat: found.value.value,
      script: Buffer.from(found.value.scriptPubKey.hex, 'hex'),
      confirmations: found.value.confirmations,
      atBlockHash: found.value.bestblock,
      coinbase: found.value.coinbase,
    });
  }

  async mempoolSpenders(outpoints: readonly Outpoint[]): Promise<NodeResult<readonly SpendOfOutpoint[]>> {
    if (outpoints.length > MAX_OUTPOINTS_PER_CALL) {
      throw new RangeError(`at most ${MAX_OUTPOINTS_PER_CALL} outpoints per question, not ${outpoints.length}`);
    }
    if (outpoints.length === 0) return succeed([]);
    const capabilities = await this.capabilities();
    if (!capabilities.ok) return capabilities;
    if (!capabilities.value.mempoolSpenders) return this.#scan.spenders(outpoints);
    const asked = outpoints.map(({ txid, vout }) => ({ txid, vout }));
    const answer = await typedCall(this.#rpc, schemas.spendingPrevouts, 'gettxspendingprevout', [asked]);
    if (!answer.ok) return answer;
    return succeed(
      asked.map((outpoint, index) => ({ outpoint, spenderTxid: answer.value[index]?.spendingtxid ?? null })),
    );
  }

  async unspentByScript(scripts: readonly Uint8Array[]): Promise<NodeResult<readonly ScriptUnspent[]>> {
    if (scripts.length === 0) return succeed([]);
    const descriptors = scripts.map((script) => `raw(${Buffer.from(script).toString('hex')})`);
    const scan = await typedCall(this.#rpc, schemas.outputScan, 'scantxoutset', ['start', descriptors], {
      timeoutMs: SCAN_TIMEOUT_MS,
    });
    if (!scan.ok) return scan;
    return succeed(
      scan.value.unspents.map(({ scriptPubKey, amount, ...rest }) => ({
        ...rest,
        valueSat: amount,
        script: Buffer.from(scriptPubKey, 'hex'),
      })),
    );
  }

  async doubleSpendProofs(): Promise<NodeResult<readonly DoubleSpendProof[]>> {
    const capabilities = await this.capabilities();
    if (!capabilities.ok) return capabilities;
    if (!capabilities.value.doubleSpendProofs) return succeed([]);
    const listed = await typedCall(this.#rpc, schemas.doubleSpendProofs, 'getdsprooflist', [2]);
    if (!listed.ok) return listed;
    return succeed(listed.value.map(({ dspid, txid, outpoint }) => ({ id: dspid, txid: txid ?? null, outpoint })));
  }

  async mempoolEntry(txid: string): Promise<NodeResult<MempoolEntry | null>> {
    const found = absentAsNull(await typedCall(this.#rpc, schemas.mempoolEntry, 'getmempoolentry', [txid]));
    if (!found.ok || found.value === null) return found as NodeResult<null>;
    const entry = found.value;
    const virtualSize = entry.vsize ?? entry.size ?? 0;
    return succeed({
      feeSat: entry.fees.base,
      virtualSize,
      timeSec: entry.time,
      // A node without ancestor figures still names the parents: none means no unconfirmed ancestor.
      ancestorCount: entry.ancestorcount ?? 1 + entry.depends.length,
      ancestorVirtualSize: entry.ancestorsize ?? virtualSize,
      ancestorFeeSat: entry.fees.ancestor ?? entry.fees.base,
      descendantCount: entry.descendantcount ?? 1,
      parents: entry.depends,
      signalsReplacement: entry['bip125-replaceable'] ?? null,
    });
  }

  async mempoolInfo(): Promise<NodeResult<MempoolInfo>> {
    const info = await typedCall(this.#rpc, schemas.mempoolInfo, 'getmempoolinfo');
    if (!info.ok) return info;
    const minRelayFeeSatPerKvb = info.value.minrelaytxfee ?? info.value.mempoolminfee;
    const mempoolMin = info.value.mempoolminfee;
    return succeed({
      transactions: info.value.size,
      loaded: info.value.loaded,
      minRelayFeeSatPerKvb,
      minFeeSatPerKvb: mempoolMin > minRelayFeeSatPerKvb ? mempoolMin : minRelayFeeSatPerKvb,
    });
  }

  async feeEstimate(targetBlocks: number): Promise<NodeResult<bigint | null>> {
    const smart = await typedCall(this.#rpc, schemas.smartFee, 'estimatesmartfee', [targetBlocks]);
    if (smart.ok) return succeed(smart.value.feerate ?? null);
    if (smart.error.code !== 'unsupported') return smart;
    const plain = await typedCall(this.#rpc, schemas.plainFee, 'estimatefee');
    return plain.ok ? succeed(plain.value > 0n ? plain.value : null) : plain;
  }

  async broadcast(hex: string, options: BroadcastOptions = {}): Promise<NodeResult<BroadcastOutcome>> {
    const capabilities = await this.capabilities();
    return capabilities.ok ? broadcast(this.#rpc, hex, options, capabilities.value.feeLimit) : capabilities;
  }

  async testAccept(hex: string, options: BroadcastOptions = {}): Promise<NodeResult<BroadcastOutcome>> {
    const capabilities = await this.capabilities();
    return capabilities.ok ? testBroadcast(this.#rpc, hex, options, capabilities.value.feeLimit) : capabilities;
  }

  submitPackage(hexes: readonly string[]): Promise<NodeResult<PackageOutcome>> {
    return submitPackage(this.#rpc, hexes);
  }

  close(): void {
    this.#rpc.close();
  }

  async #found(
    txid: string,
    answer: { hex: string; blockhash?: string | undefined; confirmations?: number | undefined },
  ): Promise<NodeResult<FoundTransaction | null>> {
    const transaction = parseTransactionHex(answer.hex);
    if (transaction?.txid !== txid) {
      const message = `transaction ${txid} does not decode to itself`;
      return fail({ code: 'malformed-response', method: 'getrawtransaction', message });
    }
    const place = await this.#place(answer.blockhash);
    return place.ok ? succeed({ transaction, hex: answer.hex, place: place.value }) : place;
  }

  async #place(blockHash: string | undefined): Promise<NodeResult<TxPlace>> {
    if (blockHash === undefined) return succeed({ kind: 'mempool' });
    const raw = await typedCall(this.#rpc, schemas.header, 'getblockheader', [blockHash, true]);
    if (!raw.ok) return raw;
    const { height, confirmations } = raw.value;
    if (confirmations <= 0) return succeed({ kind: 'stale-block', blockHash });
    return succeed({ kind: 'block', block: { height, hash: blockHash }, confirmations });
  }

  /** The block of a confirmed transaction, found through an output of it that is still unspent. */
  async #blockOfUnspent(txid: string, vout: number | undefined): Promise<string | undefined> {
    if (vout === undefined) return undefined;
    const output = await typedCall(this.#rpc, schemas.unspentOutput, 'gettxout', [txid, vout, false]);
    if (!output.ok || output.value === null || output.value.confirmations === 0) return undefined;
    const at = await this.header(output.value.bestblock);
    if (!at.ok || at.value === null) return undefined;
    const hash = await this.blockHash(at.value.height - output.value.confirmations + 1);
    return hash.ok && hash.value !== null ? hash.value : undefined;
  }
}
