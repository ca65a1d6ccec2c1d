import { succeed, type BitcoinNode, type NodeResult, type Outpoint } from '@seedfleet/bitcoin-node';
import { NEW_OUTPUTS_PER_ROUND } from '../defaults.js';
import type { ChainFollower } from '../following/chain-follower.js';
import type { ChainStore } from '../store/chain-store.js';
import type { StoredOutput } from '../store/output-rows.js';
import { insertOutput, moveOutput } from '../store/writes.js';
import { UNSEEN, type OutputLife } from './output-life.js';
import { watchedInputs } from './inputs.js';
import { lookUpOutput, type OutputFacts } from './output-lookup.js';

/** Takes outputs into the watch. Looking up runs at a fixed tip: the caller keeps blocks from being followed meanwhile. */
export class OutputWatcher {
  constructor(
    private readonly node: BitcoinNode,
    private readonly chain: ChainStore,
    private readonly follower: ChainFollower,
  ) {}

  /**
   * Stores the wish to watch; an output watched before keeps its story. May run at any time beside blocks being
   * followed: until its past is looked up, blocks leave it alone.
   */
  async store(wish: Outpoint & { readonly script: Uint8Array; readonly label: string }): Promise<void> {
    await insertOutput(this.chain.prisma, wish);
  }

  /** Looks up what has happened to an output already, if that was not done yet. */
  async lookUpNow(outpoint: Outpoint): Promise<NodeResult<null>> {
    const stored = await this.chain.output(outpoint);
    return stored && stored.version === 0 ? this.#lookUp(stored) : succeed(null);
  }

  /** Looks up the past of outputs for which a failing node or a crash prevented it. */
  async lookUpNew(): Promise<NodeResult<null>> {
    for (const output of await this.chain.newOutputs(NEW_OUTPUTS_PER_ROUND)) {
      const done = await this.#lookUp(output);
      if (!done.ok) return done;
    }
    return succeed(null);
  }

  /** Blocks before this moment are never read again, so the node is asked about them once. */
  async #lookUp(output: StoredOutput): Promise<NodeResult<null>> {
    const tip = this.follower.tip;
    if (!tip) return succeed(null);
    const facts = await lookUpOutput(this.node, output);
    if (!facts.ok) return facts;
    const life = facts.value === null ? UNSEEN : this.#asFollowed(facts.value);
    const inputs = facts.value === null ? output.inputs : watchedInputs(facts.value.found.transaction);
    await moveOutput(this.chain.prisma, { ...output, inputs }, life, tip.height);
    return succeed(null);
  }

  /** The node may be blocks ahead of what is followed; those blocks are yet to come and count as mempool until then. */
  #asFollowed({ found, fundingMtp, spend }: OutputFacts): OutputLife {
    const { place } = found;
    const settled = spend !== null && spend.height !== null && spend.hash !== null;
    const spendFollowed = settled && this.follower.holds({ height: spend.height, hash: spend.hash });
    return {
      funding:
        place.kind === 'block' && this.follower.holds(place.block)
          ? { kind: 'block', ...place.block, mtp: fundingMtp ?? 0 }
          : { kind: 'mempool' },
      spend: spend === null || spendFollowed ? spend : { txid: spend.txid, height: null, hash: null },
      conflict: null,
    };
  }
}
