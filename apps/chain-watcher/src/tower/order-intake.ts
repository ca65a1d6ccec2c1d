import {
  chainOrderAsked,
  chainOrders,
  chainOrdersHeld,
  consumeStream,
  type Bus,
  type StreamConsumer,
} from '@seedfleet/bus';
import type { Logger } from '@seedfleet/service-kit';
import { ORDERS_PER_REPORT, TOWER_RETRY_MS, TOWER_SENT_REPORTED } from '../defaults.js';
import type { ChainMetrics } from '../metrics.js';
import type { DatedOrders, PassedOrder } from '../orders/dated-orders.js';
import { noteRefusal } from '../orders/refusals.js';
import { orderedTransaction } from '../orders/worth.js';

/** Name of the tower's durable consumer. */
const DURABLE = 'tower';
/** Ids that wait to be reported; more are found again when the stream is read anew. */
const MAX_UNREPORTED = 100_000;

/**
 * Takes orders from the fleet and tells it what is held. Without the broker it waits, for as long as it takes: everything
 * else of the tower goes on. The stream holds the newest of each order and is read from its beginning at each start, so
 * that a tower restored from an old backup holds what it should.
 */
export class OrderIntake {
  readonly #unreported = new Set<string>();
  #bus: Bus | undefined;
  #consumer: StreamConsumer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;
  #away = false;

  constructor(
    private readonly connect: () => Promise<Bus>,
    private readonly orders: DatedOrders,
    private readonly metrics: ChainMetrics,
    private readonly logger: Logger,
  ) {}

  /** Whether the fleet's broker is reached. */
  get isConnected(): boolean {
    return this.#bus?.isConnected === true && this.#consumer !== undefined;
  }

  async start(): Promise<void> {
    for (const id of await this.orders.sentIds(TOWER_SENT_REPORTED)) this.#unreported.add(id);
    this.#timer = setInterval(() => this.#step(), TOWER_RETRY_MS);
    this.#step();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#working;
    await this.#consumer?.stop();
    await this.#bus?.close().catch(() => undefined);
  }

  /** What is held of this order has changed: the fleet is told until it has heard. */
  report(id: string): void {
    if (this.#unreported.size < MAX_UNREPORTED) this.#unreported.add(id);
    this.#step();
  }

  #step(): void {
    if (this.#stopped) return;
    this.#working ??= this.#work()
      .then(() => {
        if (this.#away) this.logger.info('the fleet is heard again');
        this.#away = false;
      })
      .catch((failure: unknown) => {
        if (!this.#away) this.logger.warn({ failure: String(failure) }, 'the fleet is not heard; orders are kept');
        this.#away = true;
      })
      .finally(() => void (this.#working = undefined));
  }

  async #work(): Promise<void> {
    this.#bus ??= this.#asked(await this.connect());
    this.#consumer ??= await this.#consume(this.#bus);
    while (this.#unreported.size > 0 && !this.#stopped) {
      const ids = [...this.#unreported].slice(0, ORDERS_PER_REPORT);
      // Taken out before they are read: what changes from here on is reported again.
      for (const id of ids) this.#unreported.delete(id);
      const orders = await this.orders.held(ids);
      const held = new Set(orders.map(({ id }) => id));
      const without = ids.filter((id) => !held.has(id));
      const reply = await this.#bus.request(chainOrdersHeld, { orders, without });
      if (reply.ok) continue;
      for (const id of ids) this.#unreported.add(id);
      throw new Error(`${reply.code}: ${reply.detail}`);
    }
  }

  /** A fleet that has lost its memory asks for what it does not know any more. */
  #asked(bus: Bus): Bus {
    bus.subscribe(chainOrderAsked, [], ({ id }) => this.report(id));
    return bus;
  }

  async #consume(bus: Bus): Promise<StreamConsumer> {
    const consumer = await consumeStream(bus, chainOrders, {
      durable: DURABLE,
      maxBatch: ORDERS_PER_REPORT,
      startSeq: 1,
      handle: (messages) => this.#take(messages.map(({ payload }) => payload)),
      onError: (failure) => this.logger.warn({ failure: String(failure) }, 'orders not taken'),
    });
    void consumer.finished.then(() => void (this.#consumer = undefined));
    return consumer;
  }

  /** Acknowledged to the broker once stored, to the fleet after that. */
  async #take(orders: readonly PassedOrder[]): Promise<void> {
    for (const order of orders) {
      if (orderedTransaction(order) === null) {
        this.logger.error({ orderId: order.id }, 'an order is not what it says');
        continue;
      }
      noteRefusal(order, await this.orders.file(order), this.metrics, this.logger);
    }
    for (const { id } of orders) this.report(id);
  }
}
