import type { BitcoinNode, NodeError, NodeHint, NodeResult } from '@seedfleet/bitcoin-node';
import { succeed } from '@seedfleet/bitcoin-node';
import type { Logger } from '@seedfleet/service-kit';
import type { Broadcaster } from '../broadcasting/broadcaster.js';
import { HINT_PAUSE_MS, POLL_MS } from '../defaults.js';
import type { ChainMetrics } from '../metrics.js';
import type { Serial } from '../serial.js';
import type { ChainStore, FollowedBlock } from '../store/chain-store.js';
import type { InTurn, MempoolWatch } from '../watching/mempool-watch.js';
import type { OutputWatcher } from '../watching/output-watcher.js';
import type { ChainFollower } from './chain-follower.js';

export interface ChainWatchParts {
  readonly node: BitcoinNode;
  readonly store: ChainStore;
  readonly follower: ChainFollower;
  readonly mempool: MempoolWatch;
  readonly outputs: OutputWatcher;
  readonly broadcaster: Broadcaster;
  readonly serial: Serial;
  readonly metrics: ChainMetrics;
  readonly logger: Logger;
  /** Told after each round that saw the node's tip; `moved` if it is another one than before. */
  readonly onRound: (tip: FollowedBlock, moved: boolean) => void;
}

/** Blocks that may come while one round is at work before it leaves the rest to the next. */
const LOOKS_PER_ROUND = 5;

/**
 * The watch itself: rounds of following blocks, looking into the mempool and sending what is due, on a timer and sooner
 * when the node hints. One round at a time; requests take their turn between rounds.
 */
export class ChainWatch {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #ticking = false;
  /** A hint arrived that no round has begun after. */
  #hinted = false;
  #observedAtMs = 0;
  #outage: string | undefined;

  constructor(private readonly parts: ChainWatchParts) {}

  /** The tip that was last told of. */
  #toldTip: string | undefined;

  /** When chain and mempool were last read completely, Unix milliseconds; 0 before the first time. */
  get observedAtMs(): number {
    return this.#observedAtMs;
  }

  /** What keeps the watch from seeing the chain; undefined while it sees. */
  get outage(): string | undefined {
    return this.#outage;
  }

  /** Follows up to the node's tip, then goes on for ever. Rejects if the first round fails. */
  async start(): Promise<void> {
    await this.parts.follower.load();
    const first = await this.round();
    if (!first.ok) throw new Error(`Bitcoin node: ${first.error.message} (${first.error.code}, ${first.error.method})`);
    this.#schedule(POLL_MS);
  }

  /** Looks sooner: at once for a block, after a short pause for a transaction. */
  hint(hint: NodeHint): void {
    const waiting = this.#hinted;
    this.#hinted = true;
    // A round at work looks at this when it ends.
    if (this.#ticking) return;
    if (hint === 'block') this.#schedule(0);
    else if (!waiting) this.#schedule(HINT_PAUSE_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.parts.serial.run(() => Promise.resolve());
  }

  /**
   * Follows up to a block that the node was seen to have; true once it is followed. What an asker is told of blocks must
   * be written down here first: of a block that came and went unfollowed, nobody would be told that it is gone.
   */
  async reaches(block: { readonly height: number; readonly hash: string }): Promise<boolean> {
    const { follower, serial } = this.parts;
    if (follower.holds(block)) return true;
    const followed = await serial.run(() => this.#follow());
    this.hint('block');
    return followed.ok && follower.holds(block);
  }

  /** One round. Its steps take turns with requests; two rounds never run at once. */
  async round(): Promise<NodeResult<FollowedBlock>> {
    const { follower, mempool, broadcaster, metrics, serial } = this.parts;
    const inTurn: InTurn = (work) => serial.run(work);
    const end = metrics.rounds.startTimer();
    this.#toldTip ??= follower.tip?.hash;
    for (let looks = 0; looks < LOOKS_PER_ROUND; looks += 1) {
      const followed = await inTurn(() => this.#follow());
      if (!followed.ok) return followed;
      const seen = await mempool.look(followed.value, inTurn);
      if (!seen.ok) return seen;
      if (seen.value.tipHeld) break;
    }
    await inTurn(() => broadcaster.sendDue(Date.now()));
    end();
    const { tip } = follower;
    if (!tip) throw new Error('followed to the tip without a tip');
    this.#observedAtMs = Date.now();
    const moved = tip.hash !== this.#toldTip;
    this.#toldTip = tip.hash;
    this.parts.onRound(tip, moved);
    return succeed(tip);
  }

  async #follow(): Promise<NodeResult<FollowedBlock>> {
    const { follower, outputs, metrics, logger } = this.parts;
    const followed = await follower.catchUp();
    if (!followed.ok) return followed;
    const { tip, connected, disconnected } = followed.value;
    metrics.blocks.inc({ direction: 'connected' }, connected);
    metrics.blocks.inc({ direction: 'disconnected' }, disconnected);
    if (disconnected > 0) {
      metrics.reorgDepth.observe(disconnected);
      logger.warn({ disconnected, connected, tipHeight: tip.height, tipHash: tip.hash }, 'reorganisation');
    }
    const lookedUp = await outputs.lookUpNew();
    return lookedUp.ok ? succeed(tip) : lookedUp;
  }

  #schedule(inMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tick(), inMs);
  }

  async #tick(): Promise<void> {
    this.#ticking = true;
    this.#hinted = false;
    try {
      const result = await this.round();
      this.#report(result.ok ? undefined : result.error);
    } catch (error) {
      this.#report({ code: 'database', message: String(error) });
    }
    this.#ticking = false;
    this.#schedule(this.#hinted ? HINT_PAUSE_MS : POLL_MS);
  }

  /** One log line when an outage begins, changes or ends; the metric counts every failure. */
  #report(error: (Pick<NodeError, 'message'> & { code: string }) | undefined): void {
    const outage = error === undefined ? undefined : `${error.code}: ${error.message}`;
    if (outage === this.#outage) return;
    this.#outage = outage;
    if (error) this.parts.logger.error({ code: error.code }, `the chain can not be followed: ${error.message}`);
    else this.parts.logger.info('the chain is followed again');
  }
}
