import { fail, nextSteps, succeed, type BitcoinNode, type BlockHeader, type NodeResult } from '@seedfleet/bitcoin-node';
import { faultPoint } from '@seedfleet/service-kit';
import { BLOCK_BATCH, REMEMBERED_BLOCKS } from '../defaults.js';
import type { ChainStore, FollowedBlock } from '../store/chain-store.js';
import { blockEffects, NO_EFFECTS, type BlockEffects } from './block-effects.js';

/** What a pass of following did. */
export interface FollowReport {
  readonly tip: FollowedBlock;
  readonly connected: number;
  /** Blocks taken back, all reorganisations of the pass together. */
  readonly disconnected: number;
}

/**
 * Follows the node's chain block by block and writes each step down before the next. A restart resumes at the stored
 * tip: blocks that were reorganised away meanwhile are taken back first.
 */
export class ChainFollower {
  /** Newest first. */
  #known: FollowedBlock[] = [];

  constructor(
    private readonly node: BitcoinNode,
    private readonly store: ChainStore,
  ) {}

  get tip(): FollowedBlock | undefined {
    return this.#known[0];
  }

  /** Reads the stored chain; once, before anything else, and again after a failed write. */
  async load(): Promise<void> {
    this.#known = [...(await this.store.followedBlocks())];
  }

  /**
   * True if a block is part of the chain as followed up to now. A block older than the memory counts as part of it: a
   * reorganisation that deep stops the follower.
   */
  holds(block: { readonly height: number; readonly hash: string }): boolean {
    const tip = this.tip;
    if (!tip || block.height > tip.height) return false;
    const known = this.#known[tip.height - block.height];
    return known === undefined || known.hash === block.hash;
  }

  /** Median time past of a followed block, seconds; undefined beyond the memory. */
  medianTimePast(height: number): number | undefined {
    const tip = this.tip;
    return tip === undefined ? undefined : this.#known[tip.height - height]?.medianTimePast;
  }

  /**
   * Follows until the node's tip is reached. Rejects if the database fails; a failing node is a result, and what was
   * followed before stays. `no-common-block` arrives as error `block-unavailable`: no step leads from our chain there.
   */
  async catchUp(): Promise<NodeResult<FollowReport>> {
    const seedTo = this.#known.length === 0 ? await this.node.tip() : succeed({ height: -1, hash: '' });
    if (!seedTo.ok) return seedTo;
    const startHeight = Math.max(0, seedTo.value.height - REMEMBERED_BLOCKS + 1);
    let connected = 0;
    let disconnected = 0;
    for (;;) {
      const next = await nextSteps(this.node, this.#known, { startHeight, batch: BLOCK_BATCH });
      if (!next.ok) return next;
      if (next.value.kind === 'no-common-block') return tooDeep(next.value.tip.height);
      const { disconnect, connect, more } = next.value.steps;
      for (const block of disconnect) {
        faultPoint('chain.block.before-disconnect');
        await this.#writing(() => this.store.disconnectBlock(block));
        faultPoint('chain.block.after-disconnect');
        this.#known.shift();
        disconnected += 1;
      }
      const seeds = connect.filter((header) => header.height <= seedTo.value.height);
      if (seeds.length > 0) await this.#writing(() => this.store.seedBlocks(seeds));
      for (const header of seeds) this.#remember(header);
      for (const header of connect.slice(seeds.length)) {
        const done = await this.#connect(header);
        if (!done.ok) return done;
        connected += 1;
      }
      const tip = this.tip;
      if (!more && tip) return succeed({ tip, connected, disconnected });
    }
  }

  async #connect(header: BlockHeader): Promise<NodeResult<null>> {
    const effects = await this.#effects(header);
    if (!effects.ok) return effects;
    const previousMtp = this.tip?.medianTimePast ?? header.medianTimeSec;
    faultPoint('chain.block.before-connect');
    await this.#writing(() => this.store.connectBlock(header, previousMtp, effects.value));
    faultPoint('chain.block.after-connect');
    this.#remember(header);
    return succeed(null);
  }

  async #effects(header: BlockHeader): Promise<NodeResult<BlockEffects>> {
    if (!(await this.store.hasWork())) return succeed(NO_EFFECTS);
    const block = await this.node.block(header.hash);
    if (!block.ok) return block;
    if (block.value !== null) return succeed(blockEffects(block.value));
    return fail({ code: 'block-unavailable', method: 'getblock', message: `block ${header.hash} is not there` });
  }

  #remember(header: BlockHeader): void {
    this.#known.unshift({ height: header.height, hash: header.hash, medianTimePast: header.medianTimeSec });
    if (this.#known.length > REMEMBERED_BLOCKS) this.#known.pop();
  }

  /** After a failed write it is unknown what was stored; memory is then read back before the next pass. */
  async #writing(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      await this.load().catch(() => undefined);
      throw error;
    }
  }
}

const tooDeep = (tipHeight: number): NodeResult<FollowReport> =>
  fail({
    code: 'block-unavailable',
    method: 'getblockhash',
    message:
      `none of the last ${REMEMBERED_BLOCKS} followed blocks is in the node's chain (tip ${tipHeight}): ` +
      'another chain than before, or a reorganisation deeper than is followed',
  });
