import { PAYMENT_PARTITIONS, paymentPartition, paymentStream, paymentWatermark, type Bus } from '@seedfleet/bus';
import type { Policy } from '@seedfleet/policy';
import type { Logger } from '@seedfleet/service-kit';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { OpenChannels } from './open-channels.js';
import { PaymentPublisher } from './payment-publisher.js';

export interface PaymentsParts {
  readonly nodeId: string;
  readonly bus: Bus;
  readonly policy: Policy;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
  readonly nowMs: () => number;
  readonly openChannels: OpenChannels;
  /** Payments of a channel up to `k` are held by the broker. */
  readonly onStored: (channelId: string, k: number) => void;
  /** The intake says that it commits what this partition brings. */
  readonly onWatermark: (partition: number) => void;
}

/** All of this node's payments, each on the stream's partition that its channel belongs to. */
export class Payments {
  private readonly publishers: PaymentPublisher[];
  private subscriptions: { unsubscribe(): void }[] = [];

  constructor(private readonly parts: PaymentsParts) {
    this.publishers = Array.from({ length: PAYMENT_PARTITIONS }, (_, partition) => this.publisherFor(partition));
  }

  start(): void {
    const { bus, metrics } = this.parts;
    const keys = this.publishers.map((_, partition) => [String(partition)]);
    this.subscriptions = keys.map((key) =>
      bus.subscribe(paymentWatermark, key, ({ partition, committedSeq, streamEpoch }) => {
        this.publishers[partition]?.onWatermark(committedSeq, streamEpoch);
        this.parts.onWatermark(partition);
        metrics.retainedPayments.set(this.publishers.reduce((sum, publisher) => sum + publisher.retained, 0));
      }),
    );
    for (const channelId of this.parts.openChannels.ids) {
      this.parts.logger.warn({ channelId }, 'ending a channel that a crash left open');
      // The intake knows the last payment; 0 claims none.
      this.end(channelId, 0, 'node-restarted');
    }
  }

  /** The channel is this node's from now on, until its `end`. */
  begin(channelId: string): void {
    this.parts.openChannels.add(channelId);
  }

  pay(channelId: string, k: number, signature: Uint8Array): void {
    this.parts.metrics.payments.inc();
    this.publisherOf(channelId).pay(channelId, k, signature);
  }

  end(channelId: string, k: number, reason: string): void {
    this.publisherOf(channelId).end(channelId, k, reason);
  }

  /** The broker was away: what it acknowledged without syncing may be gone. */
  onReconnected(): void {
    for (const publisher of this.publishers) publisher.republish();
  }

  oldestUnacknowledgedMs(): number {
    return Math.max(...this.publishers.map((publisher) => publisher.oldestUnacknowledgedMs()));
  }

  waitingLongerThan(ms: number): string[] {
    return this.publishers.flatMap((publisher) => publisher.waitingLongerThan(ms));
  }

  /** Waits until everything is acknowledged, at most so long, and stops. Returns whether all is. */
  async close(timeoutMs: number): Promise<boolean> {
    const flushed = Promise.all(this.publishers.map((publisher) => publisher.flushed())).then(() => true);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
    const complete = await Promise.race([flushed, late]);
    clearTimeout(timer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    for (const publisher of this.publishers) publisher.close();
    return complete;
  }

  private publisherOf(channelId: string): PaymentPublisher {
    const publisher = this.publishers[paymentPartition(channelId)];
    if (publisher === undefined) throw new RangeError(`channel ${channelId} belongs to no partition`);
    return publisher;
  }

  private publisherFor(partition: number): PaymentPublisher {
    const { nodeId, bus, policy, logger, metrics, openChannels, nowMs, onStored } = this.parts;
    return new PaymentPublisher(policy, {
      store: ({ payments, ends }) =>
        bus.store(paymentStream, [String(partition), nodeId], { nodeId, payments: [...payments], ends: [...ends] }),
      onStored,
      onEndStored: (channelId) => openChannels.remove(channelId),
      nowMs,
      onAcknowledged: (entries, oldestMs) => {
        metrics.paymentBatchEntries.observe(entries);
        metrics.paymentAckSeconds.observe(oldestMs / 1000);
        if (oldestMs > policy.timeouts.publishWarnMs) logger.warn({ entries, oldestMs }, 'payments acknowledged late');
      },
      onFailure: (failure) => {
        metrics.publishFailures.inc();
        logger.error({ failure: String(failure) }, 'payments not acknowledged; sent again');
      },
    });
  }
}
