import { parseTransaction, type BitcoinNode } from '@seedfleet/bitcoin-node';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import type { Broadcaster } from '../broadcasting/broadcaster.js';
import { ORDERS_EVERY_MS, ORDERS_KEPT_SECONDS, ORDERS_PER_ROUND, STALE_AFTER_MS } from '../defaults.js';
import type { ChainFollower } from '../following/chain-follower.js';
import type { ChainWatch } from '../following/chain-watch.js';
import type { Serial } from '../serial.js';
import { lookUpOutput } from '../watching/output-lookup.js';
import type { DatedOrders, DueOrder, SentForOrder } from './dated-orders.js';
import { maySend, type OrderHolder } from './order-schedule.js';

export interface OrderSenderParts {
  readonly node: BitcoinNode;
  readonly orders: DatedOrders;
  readonly follower: ChainFollower;
  readonly watch: ChainWatch;
  readonly broadcaster: Broadcaster;
  readonly serial: Serial;
  readonly holder: OrderHolder;
  /** How long an order is looked at before it is sent: what others sent has time to be seen here. */
  readonly graceMs: number;
  readonly logger: Logger;
  /** Told of each order that was sent. */
  readonly onSent: (id: string) => void;
}

/**
 * Sends dated orders in their time, unless the output that they spend is seen to be spent: then the one that spends it is
 * sent again for ever, and the order never.
 */
export class OrderSender {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** When each due order was first seen to be due, by id and version. A restart begins the wait anew. */
  #dueSince = new Map<string, number>();
  #failing = false;

  constructor(private readonly parts: OrderSenderParts) {}

  start(): void {
    this.#timer = setInterval(() => this.#look(), ORDERS_EVERY_MS);
    this.#look();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #look(): void {
    this.#running ??= this.#round()
      .then(() => void (this.#failing = false))
      .catch((failure: unknown) => {
        // One line per outage; the next look is seconds away.
        if (!this.#failing) this.parts.logger.error({ failure: String(failure) }, 'dated orders can not be looked at');
        this.#failing = true;
      })
      .finally(() => void (this.#running = undefined));
  }

  async #round(): Promise<void> {
    const { orders, follower, watch, holder, graceMs, serial } = this.parts;
    for (const sent of await orders.unsent(ORDERS_PER_ROUND)) await this.#send(sent);
    const { tip } = follower;
    // Of an old look nothing follows: neither the time, nor that nothing spends the output.
    if (tip === undefined || watch.outage !== undefined || Date.now() - watch.observedAtMs > STALE_AFTER_MS) return;
    const due = await orders.due(holder, tip.medianTimePast, ORDERS_PER_ROUND);
    const since = new Map(due.map((order) => [nameOf(order), this.#dueSince.get(nameOf(order)) ?? Date.now()]));
    this.#dueSince = since;
    for (const order of due) {
      if (Date.now() - (since.get(nameOf(order)) ?? Date.now()) < graceMs) continue;
      await serial.run(() => this.#decide(order));
    }
    await orders.forget(tip.medianTimePast, ORDERS_KEPT_SECONDS);
  }

  async #decide(order: DueOrder): Promise<void> {
    const { node, follower, holder, logger } = this.parts;
    const mtp = follower.tip?.medianTimePast;
    if (mtp === undefined || !maySend(order.schedule, holder, mtp)) return;
    // A node that has just started does not know yet what its mempool held.
    const mempool = await node.mempoolInfo();
    if (!mempool.ok || !mempool.value.loaded) return;
    const facts = await lookUpOutput(node, order.output);
    if (!facts.ok || facts.value === null) return;
    const { spend } = facts.value;
    // Once others than the one who filed can spend it, what is not mined yet may be theirs, and ours goes against it.
    const isForeign = spend !== null && spend.height === null && mtp >= order.schedule.openFromMtp;
    if (spend === null || isForeign) {
      const { txid, raw, label } = order;
      if (!(await this.#markAndSend(order, 'fired', { txid, raw, label }))) return;
      logger.warn({ orderId: order.id, version: order.version, txid }, 'a dated order was sent');
      return;
    }
    const found = await node.transaction(spend.txid, { vout: 0, ...(spend.hash ? { blockHash: spend.hash } : {}) });
    if (!found.ok || found.value === null) return;
    const sent = { txid: spend.txid, raw: new Uint8Array(Buffer.from(found.value.hex, 'hex')), label: order.label };
    if (parseTransaction(sent.raw)?.txid !== spend.txid) return;
    if (!(await this.#markAndSend(order, 'found', sent))) return;
    logger.info({ orderId: order.id, version: order.version, txid: spend.txid }, 'the output of an order is spent');
  }

  async #markAndSend(order: DueOrder, state: 'fired' | 'found', sent: SentForOrder): Promise<boolean> {
    if (!(await this.parts.orders.mark(order, state, sent))) return false;
    faultPoint('chain.order.after-mark');
    await this.#send(sent);
    this.parts.onSent(order.id);
    return true;
  }

  /** The broadcaster stores it and sends it, in its next round, until it is buried. */
  async #send({ txid, raw, label }: SentForOrder): Promise<void> {
    const taken = await this.parts.broadcaster.store({ txid, raw, label });
    if (taken.kind === 'unusable') {
      this.parts.logger.error({ txid, code: taken.code }, `a dated order can not be sent: ${taken.reason}`);
      return;
    }
    this.parts.watch.hint('block');
  }
}

const nameOf = ({ id, version }: DueOrder): string => `${id}:${version}`;
