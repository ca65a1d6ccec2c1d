import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Counter, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { Queue, Worker } from 'bullmq';
import { call } from './call.js';
import { DeliveryRepository, type DueDelivery } from './delivery.repository.js';
import { WEBHOOK_SETTINGS, type WebhookSettings } from './settings.js';
import { signature } from './signature.js';

const QUEUE = 'webhooks';
/** Calls at a time: a receiver that hangs holds up one of them, for the length of its time-out. */
const CONCURRENCY = 8;
const CALL_TIMEOUT_MS = 10_000;
/** How often the table is asked for what is due and not queued: new events, and what a wiped Redis has lost. */
const LOOK_EVERY_MS = 1_000;
const LOOK_LIMIT = 500;
/** An attempt that was queued is not queued again before this; then Redis may have lost it. */
const QUEUED_TRUST_MS = 30_000;
const MAX_TRUSTED = 10_000;
/** How long a stop waits for Redis to answer. */
const CLOSE_MS = 1_000;

/**
 * Delivers to webhooks. BullMQ hands attempts to the processes and keeps their back-off; what is to be delivered stands in
 * Postgres, where an attempt is claimed before it is made. So a wiped Redis loses nothing, and a doubled job does nothing.
 * An attempt whose process dies after the call is made again: receivers tell by `Seedfleet-Delivery`.
 */
@Injectable()
export class DeliveryQueue implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly queue: Queue | undefined;
  private readonly attempts: Counter<'outcome'>;
  private readonly trusted = new Map<string, number>();
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private redisDown = false;

  constructor(
    private readonly deliveries: DeliveryRepository,
    @Inject(WEBHOOK_SETTINGS) private readonly settings: WebhookSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.attempts = new Counter({
      name: 'seedfleet_webhook_attempts_total',
      help: 'Attempts to deliver to a webhook, by outcome',
      labelNames: ['outcome'] as const,
      registers: [registry],
    });
    const { redisUrl } = settings;
    if (redisUrl === undefined) return;
    this.queue = new Queue(QUEUE, {
      prefix: this.prefix(),
      connection: { url: redisUrl, ...settings.redisTls, enableOfflineQueue: false, maxRetriesPerRequest: 1 },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.queue.on('error', (failure) => this.redisFailed(failure));
  }

  onApplicationBootstrap(): void {
    const { redisUrl } = this.settings;
    if (redisUrl === undefined) return;
    this.worker = new Worker(
      QUEUE,
      async (job) => {
        const { id, attempts } = job.data as { id: string; attempts: number };
        await this.attempt({ id: BigInt(id), attempts });
      },
      {
        prefix: this.prefix(),
        concurrency: CONCURRENCY,
        connection: { url: redisUrl, ...this.settings.redisTls, maxRetriesPerRequest: null },
      },
    );
    this.worker.on('error', (failure) => this.redisFailed(failure));
    this.worker.on('failed', (_job, failure) =>
      this.logger.warn({ failure: String(failure) }, 'a delivery was cut off'),
    );
    void this.look();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const closing = Promise.allSettled([this.worker?.close(true), this.queue?.close()]);
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
  }

  private prefix(): string {
    return `seedfleet-${this.settings.fleetId}`;
  }

  private async look(): Promise<void> {
    try {
      const now = Date.now();
      for (const [name, atMs] of this.trusted) if (now - atMs > QUEUED_TRUST_MS) this.trusted.delete(name);
      const due = await this.deliveries.due(LOOK_LIMIT);
      for (const delivery of due.filter((each) => !this.trusted.has(nameOf(each)))) {
        if (this.trusted.size >= MAX_TRUSTED) break;
        await this.enqueue(delivery, 0);
        this.trusted.set(nameOf(delivery), now);
      }
      if (this.redisDown) this.logger.info('Redis answers again');
      this.redisDown = false;
    } catch (failure) {
      this.redisFailed(failure);
    }
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  /** The same attempt is queued once, whoever queues it. */
  private async enqueue(delivery: DueDelivery, delayMs: number): Promise<void> {
    const { id, attempts } = delivery;
    await this.queue?.add('deliver', { id: String(id), attempts }, { jobId: nameOf(delivery), delay: delayMs });
  }

  private async attempt(due: DueDelivery): Promise<void> {
    const claimed = await this.deliveries.claim(due);
    if (claimed === undefined) return;
    const { id, kind, body, url, secret } = claimed;
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Seedfleet',
      'seedfleet-event': kind,
      'seedfleet-delivery': String(id),
      'seedfleet-signature': signature(Buffer.from(secret).toString('utf8'), body, Date.now()),
    };
    const { networks } = this.settings;
    const outcome = await call({ url, headers, body }, { networks, timeoutMs: CALL_TIMEOUT_MS });
    this.attempts.inc({ outcome: outcome.ok ? 'delivered' : outcome.problem });
    const backOffS = await this.deliveries.record(due, outcome);
    if (backOffS !== null) await this.enqueue({ id, attempts: due.attempts + 1 }, backOffS * 1_000);
  }

  /** One line per outage. */
  private redisFailed(failure: unknown): void {
    if (!this.redisDown && !this.stopped) {
      this.logger.warn({ failure: String(failure) }, 'webhooks wait: Redis or the database does not answer');
    }
    this.redisDown = true;
  }
}

function nameOf({ id, attempts }: DueDelivery): string {
  return `delivery-${id}-${attempts}`;
}
