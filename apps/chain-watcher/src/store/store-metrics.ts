import type { Logger } from '@seedfleet/service-kit';
import type { ChainMetrics } from '../metrics.js';
import type { DatedOrders } from '../orders/dated-orders.js';
import type { ChainStore } from './chain-store.js';

const EVERY_MS = 15_000;

/** Keeps the gauges of stored things up to date. */
export class StoreMetrics {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: ChainStore,
    private readonly orders: DatedOrders,
    private readonly metrics: ChainMetrics,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.#guarded(), EVERY_MS);
    void this.#guarded();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    const counts = await this.store.counts();
    this.metrics.watched.reset();
    this.metrics.broadcasts.reset();
    for (const [state, count] of Object.entries(counts.outputs)) this.metrics.watched.set({ state }, count);
    for (const [state, count] of Object.entries(counts.broadcasts)) this.metrics.broadcasts.set({ state }, count);
    this.metrics.unsentEvents.set(counts.unsent);
    this.metrics.orders.reset();
    for (const [state, count] of Object.entries(await this.orders.counts())) this.metrics.orders.set({ state }, count);
    this.metrics.ordersUnacknowledged.set(await this.orders.unacknowledged());
  }

  async #guarded(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.logger.warn({ error: String(error) }, 'metrics: the database did not answer');
    }
  }
}
