import { parseTransaction, type BitcoinNode, type BroadcastOutcome, type NodeError } from '@seedfleet/bitcoin-node';
import { faultPoint } from '@seedfleet/service-kit';
import { BROADCASTS_PER_ROUND } from '../defaults.js';
import type { ChainFollower } from '../following/chain-follower.js';
import type { StoredBroadcast } from '../store/broadcast-rows.js';
import type { ChainStore } from '../store/chain-store.js';
import { insertBroadcast, moveBroadcast } from '../store/writes.js';
import { attempted, isOver, storedLife, withdrawn, type Attempt } from './broadcast-life.js';
import { RivalFinder } from './rival-finder.js';

export interface BroadcastOrder {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly label: string;
  /** The transaction that this one spends from and pays for: stored with it and sent together with it. */
  readonly parent?: Omit<BroadcastOrder, 'parent' | 'replaces'> | undefined;
  /** Withdrawn when this one is stored. */
  readonly replaces?: string | undefined;
}

export type Acceptance =
  | { readonly kind: 'taken'; readonly broadcast: StoredBroadcast }
  /** Not stored: the bytes are no transaction, one with another id than the caller thinks, or no child of its parent. */
  | {
      readonly kind: 'unusable';
      readonly code: 'malformed' | 'txid-mismatch' | 'not-a-child';
      readonly reason: string;
    };

/**
 * Takes charge of transactions: stores first, then sends, then sends again until blocks have buried them. A child that
 * pays for its parent is sent with it. All but `store` and `withdraw` runs at a fixed tip: the caller keeps blocks from
 * being followed meanwhile.
 */
export class Broadcaster {
  #takesPackages: boolean | undefined;
  readonly #rivals: RivalFinder;

  constructor(
    private readonly node: BitcoinNode,
    private readonly chain: ChainStore,
    private readonly follower: ChainFollower,
    private readonly onNodeError: (error: NodeError) => void,
  ) {
    this.#rivals = new RivalFinder(node, chain, follower);
  }

  /**
   * Takes a transaction into charge, with its parent: after this they are stored and will be sent. Repeating it is
   * harmless. May run at any time beside blocks being followed.
   */
  async store(order: BroadcastOrder): Promise<Acceptance> {
    const { parent, replaces } = order;
    const unusable = unusableOrder(order);
    if (unusable) return unusable;
    faultPoint('chain.broadcast.before-store');
    const life = storedLife(Date.now());
    const rows = [
      ...(parent ? [{ ...parent, parentTxid: null, version: 1, life }] : []),
      { txid: order.txid, raw: order.raw, label: order.label, parentTxid: parent?.txid ?? null, version: 1, life },
    ];
    await this.chain.prisma.$transaction(async (tx) => {
      for (const row of rows) await insertBroadcast(tx, row);
    });
    if (replaces !== undefined) await this.withdraw(replaces);
    return { kind: 'taken', broadcast: await this.#stored(order.txid) };
  }

  /** Sends a transaction no more. Undefined if it is not known. */
  async withdraw(txid: string): Promise<StoredBroadcast | undefined> {
    for (;;) {
      const stored = await this.chain.broadcast(txid);
      if (stored === undefined) return undefined;
      const life = withdrawn(stored.life);
      if (life === stored.life) return stored;
      const moved = await moveBroadcast(this.chain.prisma, stored, life);
      // A block or an attempt was faster: it is looked at again.
      if (moved !== undefined) return moved;
    }
  }

  /** Sends one stored transaction now, unless it is in a block. */
  async sendNow(txid: string): Promise<StoredBroadcast> {
    const stored = await this.#stored(txid);
    await this.#send(stored);
    return this.#stored(txid);
  }

  /** Sends what is due. Stops at the first time the node does not answer; the rest stays due. */
  async sendDue(nowMs: number): Promise<void> {
    const sent = new Set<string>();
    for (const broadcast of await this.chain.dueBroadcasts(nowMs, BROADCASTS_PER_ROUND)) {
      if (sent.has(broadcast.txid)) continue;
      const attempts = await this.#send(broadcast);
      for (const { txid } of attempts) sent.add(txid);
      if (attempts.some(({ attempt }) => attempt.kind === 'no-answer')) return;
    }
  }

  async #stored(txid: string): Promise<StoredBroadcast> {
    const stored = await this.chain.broadcast(txid);
    if (!stored) throw new Error(`broadcast ${txid} is not stored`);
    return stored;
  }

  /** Hands it to the node, with the relatives that it can't be sent without, and stores what came of each. */
  async #send(broadcast: StoredBroadcast): Promise<readonly Attempted[]> {
    if (isOver(broadcast.life)) return [];
    const family = await this.#family(broadcast);
    const attempts = family === undefined ? [await this.#attempt(broadcast)] : await this.#attemptFamily(...family);
    for (const { broadcast: one, attempt } of attempts) {
      await moveBroadcast(this.chain.prisma, one, attempted(one.life, attempt, Date.now()));
    }
    return attempts;
  }

  /** Parent and child, where the parent is not in a block and a child pays for it. */
  async #family(broadcast: StoredBroadcast): Promise<readonly [StoredBroadcast, StoredBroadcast] | undefined> {
    if (broadcast.parentTxid === null) {
      const child = await this.chain.childOf(broadcast.txid);
      return child === undefined ? undefined : [broadcast, child];
    }
    const parent = await this.chain.broadcast(broadcast.parentTxid);
    return parent === undefined || isOver(parent.life) ? undefined : [parent, broadcast];
  }

  /**
   * Both at once, so that a parent whose own fee will not do comes in on its child's, and nobody's transaction gets
   * between the two. A node without packages gets one after the other.
   */
  async #attemptFamily(parent: StoredBroadcast, child: StoredBroadcast): Promise<readonly Attempted[]> {
    if (!(await this.#packages())) {
      const first = await this.#attempt(parent);
      return first.attempt.kind === 'no-answer' ? [first] : [first, await this.#attempt(child)];
    }
    faultPoint('chain.broadcast.before-send');
    const answer = await this.node.submitPackage([hexOf(parent), hexOf(child)]);
    faultPoint('chain.broadcast.after-send');
    if (!answer.ok) {
      this.onNodeError(answer.error);
      return [parent, child].map((broadcast) => ({ txid: broadcast.txid, broadcast, attempt: { kind: 'no-answer' } }));
    }
    const { transactions, reason } = answer.value;
    const attempts: Attempted[] = [];
    for (const [place, broadcast] of [parent, child].entries()) {
      const outcome = transactions[place] ?? { code: 'unknown-refusal', txid: broadcast.txid, reason };
      attempts.push({ txid: broadcast.txid, broadcast, attempt: await this.#judge(broadcast, outcome) });
    }
    return attempts;
  }

  /** Asked once; a node that does not answer is asked again. */
  async #packages(): Promise<boolean> {
    if (this.#takesPackages === undefined) {
      const capabilities = await this.node.capabilities();
      if (!capabilities.ok) return false;
      this.#takesPackages = capabilities.value.packages;
    }
    return this.#takesPackages;
  }

  async #attempt(broadcast: StoredBroadcast): Promise<Attempted> {
    faultPoint('chain.broadcast.before-send');
    const answer = await this.node.broadcast(hexOf(broadcast));
    faultPoint('chain.broadcast.after-send');
    if (answer.ok) {
      return { txid: broadcast.txid, broadcast, attempt: await this.#judge(broadcast, answer.value) };
    }
    this.onNodeError(answer.error);
    return { txid: broadcast.txid, broadcast, attempt: { kind: 'no-answer' } };
  }

  /** What the node's answer means: for one that misses inputs the chain has to be asked why. */
  async #judge(broadcast: StoredBroadcast, { code, reason }: BroadcastOutcome): Promise<Attempt> {
    if (code === 'already-in-chain') return this.#placed(broadcast.txid, reason);
    if (code === 'missing-inputs') {
      const found = await this.#rivals.find(broadcast);
      if (found !== undefined) return { kind: 'double-spent', reason, ...found };
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
}

/** One transaction handed to the node, and what that brought. */
interface Attempted {
  readonly txid: string;
  readonly broadcast: StoredBroadcast;
  readonly attempt: Attempt;
}

const hexOf = ({ raw }: StoredBroadcast): string => Buffer.from(raw).toString('hex');

function unusableOrder(order: BroadcastOrder): (Acceptance & { kind: 'unusable' }) | undefined {
  for (const { txid, raw } of [...(order.parent ? [order.parent] : []), order]) {
    const transaction = parseTransaction(raw);
    if (!transaction) return { kind: 'unusable', code: 'malformed', reason: 'the bytes are no transaction' };
    if (transaction.txid !== txid) {
      return { kind: 'unusable', code: 'txid-mismatch', reason: `the bytes are transaction ${transaction.txid}` };
    }
  }
  const { parent } = order;
  const spends = parseTransaction(order.raw)?.inputs.some(({ txid }) => txid === parent?.txid) === true;
  if (parent === undefined || spends) return undefined;
  return { kind: 'unusable', code: 'not-a-child', reason: `it spends nothing of ${parent.txid}` };
}
