import { parseTransaction, type BitcoinNode, type NodeError, type RawTransaction } from '@seedfleet/bitcoin-node';
import { faultPoint } from '@seedfleet/service-kit';
import { BROADCASTS_PER_ROUND } from '../defaults.js';
import type { ChainFollower } from '../following/chain-follower.js';
import type { StoredBroadcast } from '../store/broadcast-rows.js';
import type { ChainStore } from '../store/chain-store.js';
import { insertBroadcast, moveBroadcast } from '../store/writes.js';
import { attempted, storedLife, type Attempt } from './broadcast-life.js';

/** Inputs that are asked about to tell a double-spend from a missing parent; ours have one, a sweep up to a hundred. */
const MAX_INPUTS_ASKED = 100;

export interface BroadcastOrder {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly label: string;
}

export type Acceptance =
  | { readonly kind: 'taken'; readonly broadcast: StoredBroadcast }
  /** Not stored: the bytes are no transaction, or one with another id than the caller thinks. */
  | { readonly kind: 'unusable'; readonly code: 'malformed' | 'txid-mismatch'; readonly reason: string };

/**
 * Takes charge of transactions: stores first, then sends, then sends again until blocks have buried them. All but
 * `store` runs at a fixed tip: the caller keeps blocks from being followed meanwhile.
 */
export class Broadcaster {
  constructor(
    private readonly node: BitcoinNode,
    private readonly chain: ChainStore,
    private readonly follower: ChainFollower,
    private readonly onNodeError: (error: NodeError) => void,
  ) {}

  /**
   * Takes a transaction into charge: after this it is stored and will be sent. Repeating it is harmless. May run at any
   * time beside blocks being followed.
   */
  async store(order: BroadcastOrder): Promise<Acceptance> {
    const transaction = parseTransaction(order.raw);
    if (!transaction) return { kind: 'unusable', code: 'malformed', reason: 'the bytes are no transaction' };
    if (transaction.txid !== order.txid) {
      const reason = `the bytes are transaction ${transaction.txid}`;
      return { kind: 'unusable', code: 'txid-mismatch', reason };
    }
    faultPoint('chain.broadcast.before-store');
    await insertBroadcast(this.chain.prisma, { ...order, version: 1, life: storedLife(Date.now()) });
    return { kind: 'taken', broadcast: await this.#stored(order.txid) };
  }

  /** Sends one stored transaction now, unless it is in a block. */
  async sendNow(txid: string): Promise<StoredBroadcast> {
    return this.#send(await this.#stored(txid));
  }

  /** Sends what is due. Stops at the first time the node does not answer; the rest stays due. */
  async sendDue(nowMs: number): Promise<void> {
    for (const broadcast of await this.chain.dueBroadcasts(nowMs, BROADCASTS_PER_ROUND)) {
      const before = broadcast.life.attempts;
      const after = await this.#send(broadcast);
      if (after.life.state === broadcast.life.state && after.life.state === 'stored' && after.life.attempts > before) {
        return;
      }
    }
  }

  async #stored(txid: string): Promise<StoredBroadcast> {
    const stored = await this.chain.broadcast(txid);
    if (!stored) throw new Error(`broadcast ${txid} is not stored`);
    return stored;
  }

  async #send(broadcast: StoredBroadcast): Promise<StoredBroadcast> {
    if (broadcast.life.inclusion !== null) return broadcast;
    const attempt = await this.#attempt(broadcast);
    const life = attempted(broadcast.life, attempt, Date.now());
    return (await moveBroadcast(this.chain.prisma, broadcast, life)) ?? broadcast;
  }

  async #attempt(broadcast: StoredBroadcast): Promise<Attempt> {
    faultPoint('chain.broadcast.before-send');
    const answer = await this.node.broadcast(Buffer.from(broadcast.raw).toString('hex'));
    faultPoint('chain.broadcast.after-send');
    if (!answer.ok) {
      this.onNodeError(answer.error);
      return { kind: 'no-answer' };
    }
    const { code, reason } = answer.value;
    if (code === 'already-in-chain') return this.#placed(broadcast.txid, reason);
    const transaction = parseTransaction(broadcast.raw);
    if (code === 'missing-inputs' && transaction && (await this.#isDoubleSpent(transaction))) {
      return { kind: 'double-spent', reason };
    }
    return { kind: 'answer', code, reason };
  }

  /** Where the node has it, if that is part of the chain as followed; else it is as good as in the mempool until then. */
  async #placed(txid: string, reason: string): Promise<Attempt> {
    const found = await this.node.transaction(txid, { vout: 0 });
    const place = found.ok ? found.value?.place : undefined;
    const tip = this.follower.tip;
    if (place?.kind === 'block' && tip && this.follower.holds(place.block)) {
      return { kind: 'in-chain', inclusion: place.block, confirmations: tip.height - place.block.height + 1 };
    }
    return { kind: 'answer', code: 'already-in-chain', reason };
  }

  /** True if the parent of an input is in the chain, but the output it names is spent there. */
  async #isDoubleSpent(transaction: RawTransaction): Promise<boolean> {
    for (const input of transaction.inputs.slice(0, MAX_INPUTS_ASKED)) {
      const watched = await this.chain.output(input);
      const spend = watched?.life.spend ?? null;
      if (spend !== null && spend.height !== null && spend.txid !== transaction.txid) return true;
      const unspent = await this.node.unspentOutput(input, 'chain');
      if (!unspent.ok || unspent.value !== null) continue;
      const parent = await this.node.transaction(input.txid);
      if (parent.ok && parent.value?.place.kind === 'block') return true;
    }
    return false;
  }
}
