import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  Bus,
  chainBroadcastChanged,
  chainOutputChanged,
  consumeStream,
  ensureStream,
  type StreamConsumer,
  type StreamContract,
} from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { channelOfLabel, wakeChannels } from '../channels/channel-repository.js';
import { isTreasuryLabel, wakeTreasury } from '../treasury/treasury-repository.js';
import type { ChannelServiceConfig } from '../config.js';
import { SettlementWake } from '../settlement/settlement-wake.js';
import { CONFIG, DATABASE } from '../tokens.js';

/** Messages per look: one statement wakes the channels of all. */
const MAX_BATCH = 200;
const RESTART_MS = 2_000;

/** What all news has: the transaction, and the label that was given for it. */
interface News {
  readonly label: string;
  readonly txid: string;
}

/** Called when channels were woken, to work on them in this process at once. */
export type WakeListener = () => void;

/**
 * Reads the news of outputs and broadcasts and wakes the channels they are about. News only wakes: what is true is
 * asked when the channel is worked on, and channels are also looked at without any news.
 */
@Injectable()
export class ChainNews implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly consumers = new Set<StreamConsumer>();
  private readonly listeners: WakeListener[] = [];
  private stopped = false;

  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(CONFIG) private readonly config: ChannelServiceConfig,
    @Inject(SettlementWake) private readonly settlement: SettlementWake,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onWake(listener: WakeListener): void {
    this.listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.consume(chainOutputChanged, 'channel-service-outputs');
    await this.consume(chainBroadcastChanged, 'channel-service-broadcasts');
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
  }

  private async consume<P extends z.ZodType<News>>(contract: StreamContract<P>, durable: string): Promise<void> {
    await ensureStream(this.bus, contract, this.config.NATS_REPLICAS);
    const consumer = await consumeStream(this.bus, contract, {
      durable,
      maxBatch: MAX_BATCH,
      handle: (messages) => this.wake(messages.map(({ payload }) => payload)),
      onError: (failure, attempt) => this.logger.warn({ failure: String(failure), attempt, durable }, 'news not taken'),
    });
    this.consumers.add(consumer);
    void consumer.finished.then(() => {
      this.consumers.delete(consumer);
      if (!this.stopped) this.restart(contract, durable);
    });
  }

  private restart<P extends z.ZodType<News>>(contract: StreamContract<P>, durable: string): void {
    setTimeout(() => {
      if (this.stopped) return;
      this.consume(contract, durable).catch((failure: unknown) => {
        this.logger.warn({ failure: String(failure), durable }, 'news can not be read');
        this.restart(contract, durable);
      });
    }, RESTART_MS);
  }

  private async wake(news: readonly News[]): Promise<void> {
    const ids = new Set<string>();
    const treasury = new Set<string>();
    for (const { label, txid } of news) {
      const id = channelOfLabel(label);
      if (id !== null) ids.add(id);
      if (isTreasuryLabel(label)) treasury.add(txid);
    }
    if (ids.size + treasury.size === 0) return;
    faultPoint('channel.news.before-wake');
    if (treasury.size > 0) await wakeTreasury(this.prisma, [...treasury]);
    if (ids.size > 0) await wakeChannels(this.prisma, [...ids]);
    faultPoint('channel.news.after-wake');
    for (const listener of this.listeners) listener();
    this.settlement.wake();
  }
}
