import { chainStatus, type Bus } from '@seedfleet/bus';
import type { Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { FEES_EVERY_MS, STALE_AFTER_MS, STATUS_EVERY_MS } from '../defaults.js';
import type { FeeWatch } from '../fees/fee-rates.js';
import type { ChainMetrics } from '../metrics.js';
import type { FollowedBlock } from '../store/chain-store.js';

export type Status = z.output<typeof chainStatus.payload>;

/** Publishes the state of the chain: at each new tip, and every few seconds, as its age is part of a node's lease. */
export class ChainStatus {
  #tip: FollowedBlock | undefined;
  #observedAtMs = 0;
  #statusTimer: NodeJS.Timeout | undefined;
  #feeTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly fees: FeeWatch,
    private readonly metrics: ChainMetrics,
    private readonly logger: Logger,
    /** Whether this process may speak for the chain. */
    private readonly maySpeak: () => boolean,
  ) {}

  /** Reads fees once, so that the first status carries them, then publishes for ever. */
  async start(): Promise<void> {
    await this.#readFees();
    this.#feeTimer = setInterval(() => void this.#readFees(), FEES_EVERY_MS);
    this.#statusTimer = setInterval(() => this.#publish(), STATUS_EVERY_MS);
    this.#publish();
  }

  stop(): void {
    clearInterval(this.#feeTimer);
    clearInterval(this.#statusTimer);
  }

  /** The chain was read completely at this tip. */
  observed(tip: FollowedBlock, moved: boolean): void {
    this.#tip = tip;
    this.#observedAtMs = Date.now();
    this.metrics.tipHeight.set(tip.height);
    this.metrics.tipMtp.set(tip.medianTimePast);
    this.metrics.observedAt.set(this.#observedAtMs / 1_000);
    if (!moved || this.#statusTimer === undefined) return;
    this.#publish();
    // A block changes what the node estimates, and what its mempool takes.
    void this.#readFees();
  }

  /**
   * What is known now; undefined before the first look, and while the node has not been read for too long: readers take
   * the arrival of a report as its age, and a tip that stands still would keep a blind fleet serving past deadlines. Nor is
   * anything known while another process may have taken over.
   */
  current(): Status | undefined {
    if (!this.#tip || !this.maySpeak() || Date.now() - this.#observedAtMs > STALE_AFTER_MS) return undefined;
    const { height, hash, medianTimePast } = this.#tip;
    const observedAt = Math.floor(this.#observedAtMs / 1_000);
    return { tip: { height, hash, medianTimePast }, feeRates: this.fees.rates, observedAt };
  }

  #publish(): void {
    const status = this.current();
    if (status) this.bus.publish(chainStatus, [], status);
  }

  async #readFees(): Promise<void> {
    const rates = await this.fees.refresh(Date.now());
    if (!rates.ok) {
      this.logger.warn({ code: rates.error.code }, `fee rates could not be read: ${rates.error.message}`);
      return;
    }
    const { threeBlocksSatPerKvb, sixBlocksSatPerKvb, mempoolMinimumSatPerKvb } = rates.value;
    // Fee rates stay far below the range where a double is inexact; metrics are no books.
    this.metrics.feeRate.set({ kind: 'three_blocks' }, Number(threeBlocksSatPerKvb));
    this.metrics.feeRate.set({ kind: 'six_blocks' }, Number(sixBlocksSatPerKvb));
    this.metrics.feeRate.set({ kind: 'mempool_minimum' }, Number(mempoolMinimumSatPerKvb));
  }
}
