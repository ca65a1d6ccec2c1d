import {
  fail,
  MAX_OUTPOINTS_PER_CALL,
  outpointKey,
  succeed,
  type BitcoinNode,
  type NodeResult,
} from '@seedfleet/bitcoin-node';
import { MEMPOOL_OUTPUTS_PER_ROUND } from '../defaults.js';
import type { ChainStore, FollowedBlock } from '../store/chain-store.js';
import type { StoredOutput } from '../store/output-rows.js';
import { moveOutput } from '../store/writes.js';
import { asOutpoint, watchedInputs } from './inputs.js';
import { provenRivals } from './double-spend.js';
import { mempoolRead } from './output-life.js';

export interface MempoolReport {
  /** False if a block came while the mempool was read: what was read then is not used. */
  readonly tipHeld: boolean;
  readonly changed: number;
}

/** Runs work while nothing else reads or writes at the followed tip. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Looks for watched outputs, their spends, and rivals of transactions that are to make them, in the mempool. */
export class MempoolWatch {
  /** Where the next round goes on, when there is more than one round's worth. */
  #after: { txid: string; vout: number } | null = null;

  constructor(
    private readonly node: BitcoinNode,
    private readonly store: ChainStore,
  ) {}

  /**
   * Reads the mempool for outputs that are open at this tip. Observations count only if the tip was the same before and
   * after: else a transaction that was just mined would look as if it had vanished.
   * @param inTurn runs one page's work while no block is followed; requests get their turn between pages.
   */
  async look(tip: FollowedBlock, inTurn: InTurn): Promise<NodeResult<MempoolReport>> {
    let changed = 0;
    for (let looked = 0; looked < MEMPOOL_OUTPUTS_PER_ROUND; looked += MAX_OUTPOINTS_PER_CALL) {
      const done = await inTurn(() => this.#lookAtNextPage(tip));
      if (!done.ok || !done.value.tipHeld) return done;
      changed += done.value.changed;
      if (this.#after === null) break;
    }
    return succeed({ tipHeld: true, changed });
  }

  async #lookAtNextPage(tip: FollowedBlock): Promise<NodeResult<MempoolReport>> {
    const page = await this.store.openOutputs(this.#after, MAX_OUTPOINTS_PER_CALL);
    const done = await this.#lookAt(page, tip);
    if (!done.ok || !done.value.tipHeld) return done;
    const last = page.at(-1);
    this.#after = last && page.length === MAX_OUTPOINTS_PER_CALL ? { txid: last.txid, vout: last.vout } : null;
    return done;
  }

  async #lookAt(outputs: readonly StoredOutput[], tip: FollowedBlock): Promise<NodeResult<MempoolReport>> {
    if (outputs.length === 0) return succeed({ tipHeld: true, changed: 0 });
    const funded = await this.#fundedInMempool(outputs);
    if (!funded.ok) return funded;
    const spends = await this.node.mempoolSpenders(outputs.map(({ txid, vout }) => ({ txid, vout })));
    if (!spends.ok) return spends;
    const inputs = await this.#inputsOf(outputs, funded.value);
    if (!inputs.ok) return inputs;
    const rivals = await this.#rivals(outputs, funded.value);
    if (!rivals.ok) return rivals;
    const now = await this.node.tip();
    if (!now.ok) return now;
    if (now.value.hash !== tip.hash) return succeed({ tipHeld: false, changed: 0 });

    const spenderOf = new Map(spends.value.map((spend) => [outpointKey(spend.outpoint), spend.spenderTxid]));
    let changed = 0;
    for (const output of outputs) {
      const spenderTxid = spenderOf.get(outpointKey(output)) ?? null;
      const conflictTxid = rivals.value.get(output.txid) ?? null;
      const isFunded = funded.value.has(output.txid);
      const life = mempoolRead(output.life, { funded: isFunded, spenderTxid, conflictTxid });
      const learnt = inputs.value.get(output.txid);
      if (life === output.life && learnt === undefined) continue;
      const known = learnt === undefined ? output : { ...output, inputs: learnt };
      if (await moveOutput(this.store.prisma, known, life, tip.height)) changed += 1;
    }
    return succeed({ tipHeld: true, changed });
  }

  /** What the transactions spend that are in the mempool for the first time, by their ids. */
  async #inputsOf(
    outputs: readonly StoredOutput[],
    funded: ReadonlySet<string>,
  ): Promise<NodeResult<ReadonlyMap<string, readonly string[]>>> {
    const unknown = outputs.filter(({ txid, inputs }) => inputs.length === 0 && funded.has(txid));
    const known = new Map<string, readonly string[]>();
    for (const txid of new Set(unknown.map((output) => output.txid))) {
      const found = await this.node.transaction(txid);
      if (!found.ok) return found;
      if (found.value !== null) known.set(txid, watchedInputs(found.value.transaction));
    }
    return succeed(known);
  }

  /** Which mempool transactions spend an input of a funding that is neither there nor in a block, by the funding's id. */
  async #rivals(
    outputs: readonly StoredOutput[],
    funded: ReadonlySet<string>,
  ): Promise<NodeResult<ReadonlyMap<string, string>>> {
    const fundingOf = new Map<string, string>();
    for (const { txid, inputs, life } of outputs) {
      if (life.funding.kind === 'block' || funded.has(txid)) continue;
      for (const input of inputs) fundingOf.set(input, txid);
    }
    const wanted = [...fundingOf.keys()];
    const rivals = new Map<string, string>();
    for (let from = 0; from < wanted.length; from += MAX_OUTPOINTS_PER_CALL) {
      const page = wanted.slice(from, from + MAX_OUTPOINTS_PER_CALL);
      const spends = await this.node.mempoolSpenders(page.map(asOutpoint));
      if (!spends.ok) return spends;
      for (const { outpoint, spenderTxid } of spends.value) {
        const txid = fundingOf.get(outpointKey(outpoint));
        if (spenderTxid !== null && txid !== undefined && spenderTxid !== txid) rivals.set(txid, spenderTxid);
      }
    }
    const proven = await this.#proven(outputs);
    return proven.ok ? succeed(new Map([...rivals, ...proven.value])) : proven;
  }

  /**
   * Fundings whose inputs were signed away a second time, by their ids. Where the first seen is kept (Bitcoin Cash) they stay
   * in the mempool, and only a proof tells, which does not name the other transaction: its own id stands for it.
   */
  async #proven(outputs: readonly StoredOutput[]): Promise<NodeResult<ReadonlyMap<string, string>>> {
    const waiting = outputs.filter(({ life }) => life.funding.kind !== 'block');
    if (waiting.length === 0) return succeed(new Map());
    const proofs = await this.node.doubleSpendProofs();
    if (!proofs.ok) return proofs;
    return succeed(provenRivals(waiting, proofs.value));
  }

  async #fundedInMempool(outputs: readonly StoredOutput[]): Promise<NodeResult<ReadonlySet<string>>> {
    const txids = new Set(outputs.filter(({ life }) => life.funding.kind !== 'block').map(({ txid }) => txid));
    const entries = await Promise.all(
      [...txids].map(async (txid) => [txid, await this.node.mempoolEntry(txid)] as const),
    );
    const found = new Set<string>();
    for (const [txid, entry] of entries) {
      if (!entry.ok) return fail(entry.error);
      if (entry.value !== null) found.add(txid);
    }
    return succeed(found);
  }
}
