import type { Logger } from '@seedfleet/service-kit';
import type { ChainMetrics } from '../metrics.js';
import type { ChainStore } from './chain-store.js';

const EVERY_MS = 15_000;
const FORGET_EVERY_MS = 3_600_000;

/** Keeps the gauges of stored things up to date, and forgets outputs that nobody ever funded. */
export class StoreMetrics {
  #timer: NodeJS.Timeout | undefined;
  #forgetTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: ChainStore,
    private readonly metrics: ChainMetrics,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.#guarded('metrics', () => this.#read()), EVERY_MS);
    this.#forgetTimer = setInterval(() => void this.#guarded('forgetting', () => this.#forget()), FORGET_EVERY_MS);
    void this.#guarded('metrics', () => this.#read());
  }

  stop(): void {
    clearInterval(this.#timer);
    clearInterval(this.#forgetTimer);
  }

  async #read(): Promise<void> {
    const counts = await this.store.counts();
    this.metrics.watched.reset();
    this.metrics.broadcasts.reset();
    for (const [state, count] of Object.entries(counts.outputs)) this.metrics.watched.set({ state }, count);
    for (const [state, count] of Object.entries(counts.broadcasts)) this.metrics.broadcasts.set({ state }, count);
    this.metrics.unsentEvents.set(counts.unsent);
  }

  async #forget(): Promise<void> {
    const forgotten = await this.store.forgetUnseen();
    if (forgotten > 0) this.logger.info({ forgotten }, 'outputs that were never funded are no longer watched');
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ error: String(error) }, `${what}: the database did not answer`);
    }
  }
}
