import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  Bus,
  consumeStream,
  ensureStream,
  PARKED,
  PAYMENT_PARTITIONS,
  paymentStream,
  paymentWatermark,
  type StreamConsumer,
} from '@seedfleet/bus';
import { PrismaClient, SessionLease } from '@seedfleet/persistence';
import { faultPoint, HealthRegistry, LOGGER, type Logger } from '@seedfleet/service-kit';
import type { ChannelServiceConfig } from '../config.js';
import { CONFIG, DATABASE } from '../tokens.js';
import { PaymentIntake } from './payment-intake.js';
import { PaymentMetrics } from './payment-metrics.js';
import { openWatermark, readWatermark, WatermarkMoved, type Watermark } from './payment-repository.js';

/** Messages per batch, which is bounded in bytes too: a batch of 4 MiB has some 17,000 entries and takes seconds at most. */
const MAX_MESSAGES = 1_024;
/** The leases of the payment stream's partitions among the database's advisory locks. */
const LEASE_GROUP = 0x5eed;
/**
 * Pause after a commit: as long as the batch took, within these bounds. Nobody waits for a commit, since the broker's
 * acknowledgement frees the window, and one per message of a node costs the machine more than the sale itself (measured: three
 * times as much). Meanwhile later payments of a channel overtake earlier ones, which then are neither verified nor written. None
 * while a backlog is worked off; longer ones were measured to cost more than they save where thousands of channels pay in turn.
 */
const SHORTEST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 50;
const WATERMARK_EVERY_MS = 1_000;
/** A batch that takes longer means that nothing gets through: nodes must notice and stop. */
const STUCK_AFTER_MS = 10_000;
/** Who has no lease by then stands by for the process that has it. */
const LEASE_WAIT_MS = 5_000;
const RESTART_AFTER_MS = 1_000;

/** Consumes the partitions of the payment stream that this process holds the lease of. */
@Injectable()
export class PaymentConsumer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly partitions: Partition[] = [];

  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(CONFIG) private readonly config: ChannelServiceConfig,
    @Inject(PaymentIntake) private readonly intake: PaymentIntake,
    @Inject(PaymentMetrics) private readonly metrics: PaymentMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(HealthRegistry) health: HealthRegistry,
  ) {
    health.register({ name: 'payment-stream', check: () => this.problem() });
  }

  async onApplicationBootstrap(): Promise<void> {
    await ensureStream(this.bus, PARKED, this.config.NATS_REPLICAS);
    await ensureStream(this.bus, paymentStream, this.config.NATS_REPLICAS);
    for (let number = 0; number < PAYMENT_PARTITIONS; number += 1) {
      const parts = {
        replicas: this.config.NATS_REPLICAS,
        bus: this.bus,
        prisma: this.prisma,
        intake: this.intake,
        metrics: this.metrics,
        logger: this.logger,
      };
      const partition = new Partition(number, this.config.DATABASE_URL, parts);
      this.partitions.push(partition);
      partition.start();
    }
    void this.followConnection();
  }

  /** Deliveries that were on their way when the connection broke come again in half a minute only: begin anew at once. */
  private async followConnection(): Promise<void> {
    for await (const { type } of this.bus.connection.status()) {
      if (type === 'reconnect') for (const partition of this.partitions) partition.begin();
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.stop()));
  }

  private problem(): string | null {
    for (const partition of this.partitions) {
      const problem = partition.problem();
      if (problem !== null) return problem;
    }
    return this.partitions.length === 0 ? 'not started' : null;
  }
}

interface Parts {
  readonly replicas: number;
  readonly bus: Bus;
  readonly prisma: PrismaClient;
  readonly intake: PaymentIntake;
  readonly metrics: PaymentMetrics;
  readonly logger: Logger;
}

/** One partition: while its lease is held, one consumer that starts where Postgres says, and the watermark's pulse. */
class Partition {
  private readonly lease: SessionLease;
  private consumer: StreamConsumer | null = null;
  private mark: Watermark | null = null;
  private beginning: Promise<void> = Promise.resolve();
  private busySince: number | null = null;
  private failure: string | null = 'starting';
  private pulse: NodeJS.Timeout | undefined;
  private restart: NodeJS.Timeout | undefined;
  private goodAt = Date.now();
  private startedAt = Date.now();
  private stopped = false;

  constructor(
    private readonly number: number,
    databaseUrl: string,
    private readonly parts: Parts,
  ) {
    this.lease = new SessionLease(
      databaseUrl,
      { group: LEASE_GROUP, member: number },
      {
        acquired: () => void this.begin(),
        lost: (why) => void this.end(`lease lost: ${why}`),
      },
    );
  }

  start(): void {
    this.startedAt = Date.now();
    this.lease.start();
    this.pulse = setInterval(() => void this.beat(), WATERMARK_EVERY_MS);
  }

  /** Null while the partition is consumed here, or by another process. */
  problem(): string | null {
    if (this.busySince !== null && Date.now() - this.busySince > STUCK_AFTER_MS) {
      return `partition ${this.number}: a batch is not getting through`;
    }
    if (this.lease.isHeld) return this.failure;
    return Date.now() - this.startedAt < LEASE_WAIT_MS ? 'waiting for the lease' : null;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.pulse);
    clearTimeout(this.restart);
    await this.beginning;
    await this.end('stopping');
    await this.lease.stop();
  }

  /** Consumes from where the database stands. One attempt after the other, each ending what was before it. */
  begin(): void {
    clearTimeout(this.restart);
    this.beginning = this.beginning.then(() => this.consume());
  }

  private async consume(): Promise<void> {
    await this.end('starting');
    if (this.stopped || !this.lease.isHeld) return;
    try {
      const streamEpoch = await ensureStream(this.parts.bus, paymentStream, this.parts.replicas);
      this.mark = await openWatermark(this.parts.prisma, this.number, streamEpoch);
      this.parts.intake.begin();
      const consumer = await consumeStream(this.parts.bus, paymentStream, {
        durable: `intake-${this.number}`,
        keys: [String(this.number)],
        maxBatch: MAX_MESSAGES,
        startSeq: Number(this.mark.committedSeq) + 1,
        handle: (messages, isFull) => this.take(messages, isFull),
        onError: (failure, attempt) => this.failed(failure, attempt),
      });
      this.consumer = consumer;
      this.failure = null;
      this.parts.logger.info(
        { partition: this.number, committedSeq: this.mark.committedSeq.toString(), streamEpoch },
        'consuming payments',
      );
      void consumer.finished.then(() => this.onFinished(consumer));
    } catch (failure) {
      this.failure = failure instanceof Error ? failure.message : String(failure);
      this.parts.logger.error({ partition: this.number, failure: this.failure }, 'payments can not be consumed');
      this.again();
    }
  }

  private async take(messages: Parameters<PaymentIntake['take']>[0], isFull: boolean): Promise<void> {
    if (this.mark === null || !this.lease.isHeld) throw new Error('the lease of the partition is lost');
    this.busySince ??= Date.now();
    const startedMs = performance.now();
    this.mark = await this.parts.intake.take(messages, this.mark);
    this.busySince = null;
    this.failure = null;
    this.publish(this.mark);
    faultPoint('intake.watermark.after-publish');
    if (isFull) return;
    const tookMs = performance.now() - startedMs;
    await sleep(Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, tookMs)));
  }

  private failed(failure: unknown, attempt: number): void {
    this.failure = failure instanceof Error ? failure.message : String(failure);
    this.parts.logger.error({ partition: this.number, attempt, failure: this.failure }, 'batch of payments failed');
    if (failure instanceof WatermarkMoved) this.again();
  }

  /** The broker ended the consumer, for example because the stream was deleted: begin anew. */
  private onFinished(consumer: StreamConsumer): void {
    if (this.consumer !== consumer) return;
    this.consumer = null;
    this.failure = 'the consumer ended';
    this.again();
  }

  private async end(why: string): Promise<void> {
    const { consumer } = this;
    this.consumer = null;
    this.busySince = null;
    this.failure = why;
    await consumer?.stop();
  }

  private again(): void {
    clearTimeout(this.restart);
    if (!this.stopped) this.restart = setTimeout(() => this.begin(), RESTART_AFTER_MS);
  }

  /** Says again where the watermark is, from the database, so that its age proves that payments are being stored. */
  private async beat(): Promise<void> {
    if (this.consumer === null || this.problem() !== null) return this.showLag();
    try {
      const mark = await readWatermark(this.parts.prisma, this.number);
      if (mark !== null && mark.streamEpoch === this.mark?.streamEpoch) this.publish(mark);
    } catch (failure) {
      this.parts.logger.warn({ failure: String(failure) }, 'the watermark can not be read');
    }
    this.showLag();
  }

  private publish(mark: Watermark): void {
    this.goodAt = Date.now();
    this.parts.metrics.committedSeq.set(Number(mark.committedSeq));
    this.parts.bus.publish(paymentWatermark, [String(this.number)], {
      partition: this.number,
      streamEpoch: mark.streamEpoch,
      committedSeq: mark.committedSeq,
      observedAt: Math.floor(Date.now() / 1_000),
    });
  }

  private showLag(): void {
    this.parts.metrics.watermarkLag.set((Date.now() - this.goodAt) / 1_000);
  }
}
