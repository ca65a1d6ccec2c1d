import { fail, succeed, type NodeResult } from '../errors.js';
import type { SpendOfOutpoint } from '../node.js';
import { parseTransactionHex, type Outpoint } from '../raw/transaction.js';
import type { RpcClient } from '../rpc/client.js';
import { hexData, mempoolTxids } from './schemas.js';
import { absentAsNull, typedCall } from './typed-rpc.js';

/** Bound of the memory: beyond it the mempool is too large to mirror, and the answer is an error. */
const MAX_TRANSACTIONS = 200_000;

const key = (outpoint: Outpoint): string => `${outpoint.txid}:${outpoint.vout}`;

/**
 * Who spends what in the mempool, for nodes without gettxspendingprevout (BCHN): a mirror of the mempool's inputs,
 * brought up to date at each question, reading only transactions that are new.
 */
export class MempoolScan {
  readonly #inputsOf = new Map<string, readonly string[]>();
  readonly #spenderOf = new Map<string, string>();

  constructor(private readonly rpc: RpcClient) {}

  /** Same order as asked. */
  async spenders(outpoints: readonly Outpoint[]): Promise<NodeResult<readonly SpendOfOutpoint[]>> {
    const refreshed = await this.#refresh();
    if (!refreshed.ok) return refreshed;
    return succeed(
      outpoints.map((outpoint) => ({ outpoint, spenderTxid: this.#spenderOf.get(key(outpoint)) ?? null })),
    );
  }

  async #refresh(): Promise<NodeResult<null>> {
    const listed = await typedCall(this.rpc, mempoolTxids, 'getrawmempool');
    if (!listed.ok) return listed;
    if (listed.value.length > MAX_TRANSACTIONS) {
      return fail({ code: 'malformed-response', method: 'getrawmempool', message: 'mempool too large to mirror' });
    }
    const now = new Set(listed.value);
    for (const txid of [...this.#inputsOf.keys()]) if (!now.has(txid)) this.#forget(txid);
    for (const txid of now) {
      if (this.#inputsOf.has(txid)) continue;
      const learned = await this.#learn(txid);
      if (!learned.ok) return learned;
    }
    return succeed(null);
  }

  async #learn(txid: string): Promise<NodeResult<null>> {
    const hex = absentAsNull(await typedCall(this.rpc, hexData, 'getrawtransaction', [txid]));
    if (!hex.ok) return hex;
    const transaction = hex.value === null ? undefined : parseTransactionHex(hex.value);
    if (!transaction) return succeed(null);
    const spent = transaction.inputs.map(key);
    this.#inputsOf.set(txid, spent);
    for (const outpoint of spent) this.#spenderOf.set(outpoint, txid);
    return succeed(null);
  }

  #forget(txid: string): void {
    for (const outpoint of this.#inputsOf.get(txid) ?? []) {
      if (this.#spenderOf.get(outpoint) === txid) this.#spenderOf.delete(outpoint);
    }
    this.#inputsOf.delete(txid);
  }
}
