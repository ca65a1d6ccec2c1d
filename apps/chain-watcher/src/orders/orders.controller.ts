import { Controller, Inject } from '@nestjs/common';
import {
  Bus,
  chainCancelOrder,
  chainFileOrder,
  chainGetOrder,
  chainOrderAsked,
  chainOrdersHeld,
  Handles,
} from '@seedfleet/bus';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { CHAIN_METRICS, type ChainMetrics } from '../metrics.js';
import { DatedOrders, type Order } from './dated-orders.js';
import { noteRefusal } from './refusals.js';
import { TowerWord } from './tower-word.js';
import { earnedBy, orderedTransaction } from './worth.js';

type StandingThen = z.output<typeof chainFileOrder.reply>;
type StandingNow = z.output<typeof chainGetOrder.reply>;

/** Takes dated orders, and what the tower says of them. */
@Controller()
export class OrdersController {
  readonly #word = new TowerWord(Date.now());

  constructor(
    @Inject(DatedOrders) private readonly orders: DatedOrders,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(Bus) private readonly bus: Bus,
    @Inject(CHAIN_METRICS) private readonly metrics: ChainMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Handles(chainFileOrder)
  async file(order: Order): Promise<StandingThen> {
    if (orderedTransaction(order) === null) throw new Error(`order ${order.id} is not what it says`);
    noteRefusal(order, await this.orders.file({ ...order, state: 'waiting' }), this.metrics, this.logger);
    faultPoint('chain.order.after-store');
    this.relay.poke();
    return this.#standing(order.id);
  }

  @Handles(chainCancelOrder)
  async cancel({ id }: z.output<typeof chainCancelOrder.request>): Promise<StandingThen> {
    await this.orders.cancel(id);
    this.relay.poke();
    return this.#standing(id);
  }

  @Handles(chainGetOrder)
  async get({ id }: z.output<typeof chainGetOrder.request>): Promise<StandingNow> {
    const standing = await this.#standing(id);
    if (!this.orders.passesOn) return { ...standing, isTowerHeard: true };
    const said = this.#word.of(id, Date.now());
    if (said === undefined) this.bus.publish(chainOrderAsked, [], { id });
    return { ...standing, isTowerHeard: said !== undefined };
  }

  @Handles(chainOrdersHeld)
  async held({ orders, without }: z.output<typeof chainOrdersHeld.request>): Promise<Record<string, never>> {
    const unknown = new Set(await this.orders.acknowledge(orders));
    this.#word.heard(orders, without, Date.now());
    for (const { id, txid, raw, state, sent } of orders) {
      if (!unknown.has(id)) continue;
      this.metrics.ordersUnknown.inc({ state });
      const pays = earnedBy(sent?.raw ?? raw);
      this.logger.warn(
        { orderId: id, txid, state, sentTxid: sent?.txid ?? null, ...pays },
        'the tower holds an unknown order',
      );
    }
    return {};
  }

  async #standing(id: string): Promise<StandingThen> {
    const { fleet, tower } = await this.orders.standing(id);
    if (!this.orders.passesOn) return { fleet, tower, towerUnheardSince: null };
    // A database that was put back to an old copy while this process lived knows less than the process.
    const last = this.#word.last(id);
    const isForgotten = last !== null && !tower?.sent && last.version > (tower?.version ?? 0);
    return { fleet, tower: isForgotten ? last : tower, towerUnheardSince: this.#word.unheardSince(id) };
  }
}
