import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Counter, LOGGER, redisTls, Registry, type Logger } from '@seedfleet/service-kit';
import { Queue, Worker } from 'bullmq';
import type { ChannelServiceConfig } from '../config.js';
import { CONFIG } from '../tokens.js';

const QUEUE = 'settlement';
/** Wakes within this time become one. */
const GATHER_MS = 20;
/** How long a stop waits for Redis to answer. */
const CLOSE_MS = 1_000;

/**
 * Tells settlers in all processes that work is due. Only that: what the work is stands in Postgres, and a settler looks
 * there by itself as well, so a wake that is lost costs seconds, never money.
 */
@Injectable()
export class SettlementWake implements OnApplicationShutdown {
  private readonly queue: Queue;
  private readonly lost: Counter;
  private worker: Worker | undefined;
  private gathering: NodeJS.Timeout | undefined;
  private redisDown = false;

  constructor(
    @Inject(CONFIG) private readonly config: ChannelServiceConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.lost = new Counter({
      name: 'seedfleet_settlement_wakes_lost_total',
      help: 'Wakes that Redis did not take; the settler finds the work by itself',
      registers: [registry],
    });
    this.queue = new Queue(QUEUE, {
      prefix: this.prefix(),
      // A wake that has to wait for Redis to come back is of no use any more.
      connection: { url: config.REDIS_URL, ...redisTls(config), enableOfflineQueue: false, maxRetriesPerRequest: 1 },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.queue.on('error', (failure) => this.redisFailed(failure));
  }

  /** Returns at once; nothing depends on its success. */
  wake(): void {
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      this.queue.add('wake', {}).then(
        () => this.redisAnswered(),
        (failure: unknown) => {
          this.lost.inc();
          this.redisFailed(failure);
        },
      );
    }, GATHER_MS);
  }

  /** Calls the listener, here, for wakes of all processes. */
  listen(listener: () => void): void {
    this.worker = new Worker(
      QUEUE,
      async () => {
        this.redisAnswered();
        listener();
      },
      {
        prefix: this.prefix(),
        connection: { url: this.config.REDIS_URL, ...redisTls(this.config), maxRetriesPerRequest: null },
      },
    );
    this.worker.on('error', (failure) => this.redisFailed(failure));
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.gathering);
    const closing = Promise.allSettled([this.worker?.close(true), this.queue.close()]);
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
  }

  private prefix(): string {
    return `seedfleet-${this.config.FLEET_ID}`;
  }

  /** One line per outage. */
  private redisFailed(failure: unknown): void {
    if (!this.redisDown) this.logger.warn({ failure: String(failure) }, 'Redis does not answer; settlement polls');
    this.redisDown = true;
  }

  private redisAnswered(): void {
    if (this.redisDown) this.logger.info('Redis answers again');
    this.redisDown = false;
  }
}
