import { Controller, Inject } from '@nestjs/common';
import { chainBroadcast, chainGetBroadcast, chainWithdraw, Handles } from '@seedfleet/bus';
import { faultPoint } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { ANSWER_WITHIN_MS } from '../defaults.js';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { firstOf, Serial } from '../serial.js';
import { ChainStore } from '../store/chain-store.js';
import { broadcastReport } from '../store/events.js';
import { Broadcaster } from './broadcaster.js';

@Controller()
export class BroadcastsController {
  constructor(
    @Inject(Serial) private readonly serial: Serial,
    @Inject(ChainStore) private readonly store: ChainStore,
    @Inject(Broadcaster) private readonly broadcaster: Broadcaster,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
  ) {}

  /**
   * Stored, then sent: answered after the first attempt, or, while the node does not answer, once it is stored.
   */
  @Handles(chainBroadcast)
  async broadcast(order: z.output<typeof chainBroadcast.request>): Promise<z.output<typeof chainBroadcast.reply>> {
    const taken = await this.broadcaster.store(order);
    if (taken.kind === 'unusable') return { state: 'rejected', code: taken.code, rejectReason: taken.reason };
    this.relay.poke();
    const sending = this.serial.run(() => this.broadcaster.sendNow(order.txid));
    const { state, code, rejectReason } = broadcastReport(await firstOf(sending, taken.broadcast, ANSWER_WITHIN_MS));
    faultPoint('chain.broadcast.after-store');
    this.relay.poke();
    return { state, code, rejectReason };
  }

  @Handles(chainWithdraw)
  async withdraw(asked: { txid: string }): Promise<z.output<typeof chainWithdraw.reply>> {
    const stored = await this.broadcaster.withdraw(asked.txid);
    this.relay.poke();
    return { state: stored?.life.state ?? null };
  }

  @Handles(chainGetBroadcast)
  async getBroadcast(asked: { txid: string }): Promise<z.output<typeof chainGetBroadcast.reply>> {
    const stored = await this.store.broadcast(asked.txid);
    return { broadcast: stored === undefined ? null : broadcastReport(stored) };
  }
}
