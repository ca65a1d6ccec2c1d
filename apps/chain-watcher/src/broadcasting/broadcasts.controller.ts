import { Controller, Inject } from '@nestjs/common';
import { chainBroadcast, chainGetBroadcast, Handles } from '@seedfleet/bus';
import type { z } from 'zod';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { Serial } from '../serial.js';
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

  /** Answered after the first attempt; `stored` means that the node did not answer and that it will be tried again. */
  @Handles(chainBroadcast)
  async broadcast(order: z.output<typeof chainBroadcast.request>): Promise<z.output<typeof chainBroadcast.reply>> {
    const taken = await this.serial.run(() => this.broadcaster.take(order));
    this.relay.poke();
    if (taken.kind === 'unusable') return { state: 'rejected', code: taken.code, rejectReason: taken.reason };
    const { state, code, rejectReason } = broadcastReport(taken.broadcast);
    return { state, code, rejectReason };
  }

  @Handles(chainGetBroadcast)
  async getBroadcast(asked: { txid: string }): Promise<z.output<typeof chainGetBroadcast.reply>> {
    const stored = await this.store.broadcast(asked.txid);
    return { broadcast: stored === undefined ? null : broadcastReport(stored) };
  }
}
