import { Controller, Inject } from '@nestjs/common';
import { parseTransaction } from '@seedfleet/bitcoin-node';
import { chainCancelOrder, chainFileOrder, chainGetOrder, chainOrdersHeld, Handles } from '@seedfleet/bus';
import { faultPoint } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { DatedOrders, type Order, type Standing } from './dated-orders.js';

/** Takes dated orders, and what the tower says of them. */
@Controller()
export class OrdersController {
  constructor(
    @Inject(DatedOrders) private readonly orders: DatedOrders,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
  ) {}

  @Handles(chainFileOrder)
  async file(order: Order): Promise<Standing> {
    const transaction = parseTransaction(order.raw);
    const { txid, vout } = order.output;
    const spends = transaction?.inputs.some((input) => input.txid === txid && input.vout === vout) === true;
    if (transaction?.txid !== order.txid || !spends) throw new Error(`order ${order.id} is not what it says`);
    await this.orders.file({ ...order, state: 'waiting' });
    faultPoint('chain.order.after-store');
    this.relay.poke();
    return this.orders.standing(order.id);
  }

  @Handles(chainCancelOrder)
  async cancel({ id }: z.output<typeof chainCancelOrder.request>): Promise<Standing> {
    await this.orders.cancel(id);
    this.relay.poke();
    return this.orders.standing(id);
  }

  @Handles(chainGetOrder)
  get({ id }: z.output<typeof chainGetOrder.request>): Promise<Standing> {
    return this.orders.standing(id);
  }

  @Handles(chainOrdersHeld)
  async held({ orders }: z.output<typeof chainOrdersHeld.request>): Promise<Record<string, never>> {
    await this.orders.acknowledge(orders);
    return {};
  }
}
