import type { Policy } from '@seedfleet/policy';
import { faultPoint } from '@seedfleet/service-kit';
import { PaymentLog, type ChannelLog } from './payment-log.js';

/** One batch as the payment stream carries it. */
export interface PaymentBatch {
  readonly payments: { readonly channelId: string; readonly k: number; readonly signature: Uint8Array }[];
  readonly ends: { readonly channelId: string; readonly k: number; readonly reason: string }[];
}

export interface PublisherPorts {
  /** Stores a batch in the stream; resolves with its sequence once acknowledged, rejects when that is not certain. */
  readonly store: (batch: PaymentBatch) => Promise<{ readonly seq: number }>;
  /** Payments of a channel up to `k` are held by the broker: its window slots are free. */
  readonly onStored: (channelId: string, k: number) => void;
  /** The end of a channel is held by the broker. */
  readonly onEndStored: (channelId: string) => void;
  /** A batch of so many entries was acknowledged; the oldest of them waited so long. */
  readonly onAcknowledged: (entries: number, oldestMs: number) => void;
  /** A batch was not acknowledged; it will be sent again. */
  readonly onFailure: (failure: unknown) => void;
  /** Monotonic clock. */
  readonly nowMs: () => number;
}

/** Upper bounds of an entry's JSON: ids, a hex signature of 73 bytes, a reason of 64 characters. */
const PAYMENT_JSON_BYTES = 240;
const END_JSON_BYTES = 170;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

interface Flight {
  readonly channel: ChannelLog;
  readonly k: number;
  readonly withEnd: boolean;
}

/**
 * The durable payment stream of one partition (architecture, steps 4 and 5): many channels to a batch, the highest
 * payment of each. It is self-clocked: one batch is on its way, or two small ones, what moves meanwhile makes the next. The
 * broker's acknowledgement frees window slots; what is not committed yet stays here, to be sent again after a broken connection
 * or with a stream that was made anew. Ends travel behind the payments they follow: an end's message has its channel's newest
 * payment too, so it does not matter which of two batches arrives, or is heard of, first.
 */
export class PaymentPublisher {
  private readonly log: PaymentLog;
  /** Batches on their way. */
  private readonly flying = new Set<readonly Flight[]>();
  private scheduled: NodeJS.Immediate | NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private streamEpoch: string | undefined;
  private closed = false;
  private readonly drained: (() => void)[] = [];

  constructor(
    private readonly policy: Policy,
    private readonly ports: PublisherPorts,
  ) {
    this.log = new PaymentLog(ports.nowMs);
  }

  /** Channels whose newest payment or end is not committed. */
  get retained(): number {
    return this.log.retained;
  }

  /** A verified payment. `k` must not fall within a channel. */
  pay(channelId: string, k: number, signature: Uint8Array): void {
    this.log.pay(channelId, k, signature);
    this.schedule();
  }

  /** The channel ended with `k` as its last verified payment; 0 where there was none. */
  end(channelId: string, k: number, reason: string): void {
    this.log.end(channelId, k, reason);
    this.schedule();
  }

  /** Everything up to `committedSeq` is in the books. A new `streamEpoch` means that the stream counts from 1 again. */
  onWatermark(committedSeq: bigint, streamEpoch: string): void {
    const renewed = this.streamEpoch !== undefined && this.streamEpoch !== streamEpoch;
    this.streamEpoch = streamEpoch;
    if (renewed) this.republish();
    else {
      faultPoint('node.watermark.before-forget');
      this.log.commit(committedSeq);
      faultPoint('node.watermark.after-forget');
    }
  }

  /** Sends everything that is not committed once more: the broker may have forgotten it. */
  republish(): void {
    this.log.requeueRetained();
    this.schedule();
  }

  /** How long the oldest payment or end has waited for its acknowledgement, ms; 0 when none waits. */
  oldestUnacknowledgedMs(): number {
    return this.log.oldestWaitMs();
  }

  /** Channels whose payments have waited longer than `ms`. */
  waitingLongerThan(ms: number): string[] {
    return this.log.waitingLongerThan(ms);
  }

  /** Resolves once everything is acknowledged. */
  flushed(): Promise<void> {
    if (this.isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.drained.push(resolve));
  }

  /** Sends nothing more. */
  close(): void {
    this.closed = true;
    this.unschedule();
    for (const resolve of this.drained.splice(0)) resolve();
  }

  private isIdle(): boolean {
    return this.flying.size === 0 && this.log.queued === 0;
  }

  private mayLeave(): boolean {
    const { maxOnTheirWay, smallEntries } = this.policy.paymentBatch;
    if (this.flying.size === 0) return true;
    return this.flying.size < maxOnTheirWay && [...this.flying].every((flights) => flights.length <= smallEntries);
  }

  private schedule(): void {
    if (this.closed || this.scheduled !== undefined || this.log.queued === 0 || !this.mayLeave()) return;
    // What this turn of the event loop verifies goes together; under load the acknowledgement is the clock.
    this.scheduled = setImmediate(() => this.send());
  }

  private send(): void {
    this.scheduled = undefined;
    const { batch, flights } = this.nextBatch();
    if (flights.length === 0) return;
    this.flying.add(flights);
    faultPoint('node.batch.before-publish');
    this.ports.store(batch).then(
      ({ seq }) => this.acknowledged(flights, seq),
      (failure: unknown) => this.failed(flights, failure),
    );
    // What the bounds of a batch left over.
    this.schedule();
  }

  private acknowledged(flights: readonly Flight[], seq: number): void {
    faultPoint('node.batch.after-acknowledgement');
    this.flying.delete(flights);
    this.retryMs = FIRST_RETRY_MS;
    let oldestMs = 0;
    for (const { channel, k, withEnd } of flights) {
      oldestMs = Math.max(oldestMs, this.log.stored(channel, k, withEnd, seq));
    }
    this.ports.onAcknowledged(flights.length, oldestMs);
    for (const { channel, k, withEnd } of flights) {
      this.ports.onStored(channel.channelId, k);
      if (withEnd) this.ports.onEndStored(channel.channelId);
    }
    faultPoint('node.batch.after-release');
    if (this.isIdle()) for (const resolve of this.drained.splice(0)) resolve();
    else this.schedule();
  }

  private failed(flights: readonly Flight[], failure: unknown): void {
    this.flying.delete(flights);
    this.log.requeue(flights.map(({ channel }) => channel));
    this.ports.onFailure(failure);
    if (this.closed) return;
    this.unschedule();
    this.scheduled = setTimeout(() => this.send(), this.retryMs);
    this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
  }

  private unschedule(): void {
    if (this.scheduled === undefined) return;
    clearTimeout(this.scheduled as NodeJS.Timeout);
    clearImmediate(this.scheduled as NodeJS.Immediate);
    this.scheduled = undefined;
  }

  private nextBatch(): { batch: PaymentBatch; flights: Flight[] } {
    const { maxEntries, maxBytes } = this.policy.paymentBatch;
    const batch: PaymentBatch = { payments: [], ends: [] };
    const flights: Flight[] = [];
    let bytes = 0;
    while (flights.length < maxEntries && bytes + PAYMENT_JSON_BYTES + END_JSON_BYTES <= maxBytes) {
      const channel = this.log.takeQueued();
      if (channel === undefined) break;
      const { channelId, newest, end } = channel;
      if (newest !== undefined) {
        batch.payments.push({ channelId, k: newest.k, signature: newest.signature });
        bytes += PAYMENT_JSON_BYTES;
      }
      if (end !== undefined) {
        batch.ends.push({ channelId, k: end.k, reason: end.reason });
        bytes += END_JSON_BYTES;
      }
      flights.push({ channel, k: newest?.k ?? 0, withEnd: end !== undefined });
    }
    return { batch, flights };
  }
}
