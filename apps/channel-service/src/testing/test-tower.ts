import { Bus, chainOrderAsked, chainOrders, chainOrdersHeld } from '@seedfleet/bus';
import { inject } from 'vitest';
import type { z } from 'zod';

export type HeldOrder = z.output<typeof chainOrdersHeld.request>['orders'][number];

/**
 * What a fleet hears of a tower, said by the test: it holds what the test gave it, takes higher versions, acknowledges, and
 * answers what it is asked. Unlike a real one it can lie.
 */
export class TestTower {
  private readonly held = new Map<string, HeldOrder>();
  private readonly outbidding = new Set<string>();
  private readonly keeping = new Set<string>();
  private readonly silent = new Set<string>();
  private readonly seen = new Map<string, number>();

  private constructor(private readonly bus: Bus) {}

  static async open(fleetId: string): Promise<TestTower> {
    const onRejected = (rejection: object): void => console.error(JSON.stringify(rejection));
    const bus = await Bus.connect({
      natsUrl: inject('natsUrl'),
      fleetId,
      service: 'tower',
      instance: 'test',
      onRejected,
    });
    const tower = new TestTower(bus);
    bus.subscribe(chainOrderAsked, [], ({ id }) => tower.tell(id));
    bus.connection.subscribe(bus.subject(chainOrders.subject), {
      callback: (_, message) => {
        const order = bus.decode(chainOrders.payload, chainOrders.subject, message.data);
        if (order !== undefined) tower.take(order);
      },
    });
    return tower;
  }

  holds(id: string, order: Partial<HeldOrder>): void {
    const honest = {
      version: 9,
      txid: '00'.repeat(32),
      raw: null,
      state: 'waiting',
      sent: null,
      refused: null,
    } as const;
    this.held.set(id, { id, ...honest, ...order });
  }

  /** From here on it always says that it holds one version more than it is told. */
  outbids(id: string): void {
    this.outbidding.add(id);
  }

  /** It holds this one, and keeps it against all that does not give it up by name. */
  keeps(id: string, order: Partial<HeldOrder>): void {
    this.holds(id, { version: 1, ...order });
    this.keeping.add(id);
  }

  /** It holds this one, and says nothing of it until it speaks. */
  hides(id: string, order: Partial<HeldOrder>): void {
    this.holds(id, order);
    this.silent.add(id);
  }

  async speaks(id: string): Promise<void> {
    this.silent.delete(id);
    await this.tell(id);
  }

  /** The last version of an order that the fleet has filed, and was answered. */
  heard(id: string): number {
    return this.seen.get(id) ?? 0;
  }

  /** The transaction of the order that it holds. */
  txidOf(id: string): string | undefined {
    return this.held.get(id)?.txid;
  }

  async close(): Promise<void> {
    await this.bus.close();
  }

  private take({ id, version, txid, raw, state, givesUp }: z.output<typeof chainOrders.payload>): void {
    const held = this.held.get(id);
    const isKept = this.keeping.has(id) && held !== undefined && ![txid, givesUp].includes(held.txid);
    const isTaken = held === undefined || (held.version < version && held.sent === null);
    if (this.outbidding.has(id)) this.holds(id, { version: version + 1 });
    else if (isKept) this.held.set(id, { ...held, refused: { version, code: 'pays-less' } });
    else if (isTaken) this.held.set(id, { id, version, txid, raw, state, sent: null, refused: null });
    void this.tell(id).then(() => this.seen.set(id, version));
  }

  private async tell(id: string): Promise<void> {
    if (this.silent.has(id)) return;
    const held = this.held.get(id);
    const word = held === undefined ? { orders: [], without: [id] } : { orders: [held], without: [] };
    await this.bus.request(chainOrdersHeld, word);
  }
}
