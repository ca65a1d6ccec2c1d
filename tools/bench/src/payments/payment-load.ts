import { paymentWatermark, type Bus, type paymentStream } from '@seedfleet/bus';
import { bestEcdsa, verifyBuyerSignature } from '@seedfleet/payment-channel';
import type { z } from 'zod';
import type { BenchChannel } from './bench-channels.js';
import { shippedPayments, type NodePayments } from './shipped-node.js';

/** What a run showed. Times in ms from the receipt of a payment, before it is verified. */
export interface LoadResult {
  readonly payments: number;
  readonly acknowledgedPerSecond: number;
  readonly committedPerSecond: number;
  /** Payments that travelled: the others were overtaken by a higher one of their channel. */
  readonly published: number;
  readonly batches: number;
  readonly freedMs: readonly number[];
  readonly committedMs: readonly number[];
}

type PaymentBatch = z.output<typeof paymentStream.payload>;

interface Lane {
  readonly channel: BenchChannel;
  /** When payment k arrived, at place k − 1. */
  readonly receivedAtMs: number[];
  freed: number;
  committed: number;
}

/** Payments delivered and not yet durable: what a buyer's window allows (policy). */
const WINDOW = 4;
/** Payments taken between turns of the event loop, as reads from sockets would bring them. */
const PER_TURN = 32;
const COMMIT_MS = 30_000;
const ecdsa = bestEcdsa();

/** Feeds payments to the node's publisher as its connections do: each is verified, then queued. */
export class PaymentLoad {
  private readonly lanes: Lane[];
  private readonly laneOf: ReadonlyMap<string, Lane>;
  private readonly ready: Lane[] = [];
  private readonly stored: { readonly seq: number; readonly entries: readonly (readonly [Lane, number])[] }[] = [];
  private received = 0;
  private freed = 0;
  private committed = 0;
  private published = 0;
  private batches = 0;
  private freedMs: number[] = [];
  private committedMs: number[] = [];
  private payments: NodePayments | undefined;

  private constructor(channels: readonly BenchChannel[]) {
    this.lanes = channels.map((channel) => ({ channel, receivedAtMs: [], freed: 0, committed: 0 }));
    this.laneOf = new Map(this.lanes.map((lane) => [lane.channel.id, lane]));
  }

  static async open(bus: Bus, nodeId: string, channels: readonly BenchChannel[]): Promise<PaymentLoad> {
    const load = new PaymentLoad(channels);
    const watched: Pick<Bus, 'store' | 'subscribe'> = {
      subscribe: bus.subscribe.bind(bus),
      store: async (contract, keys, payload, timeoutMs) => {
        const result = await bus.store(contract, keys, payload, timeoutMs);
        // The publisher stores in one stream only.
        load.onAcknowledged(result.seq, payload as PaymentBatch);
        return result;
      },
    };
    load.payments = await shippedPayments(nodeId, watched, (channelId, k) => load.onFreed(channelId, k));
    load.payments.start();
    bus.subscribe(paymentWatermark, [], ({ committedSeq }) => load.onCommitted(Number(committedSeq)));
    return load;
  }

  /** As fast as slots become free: every channel has its window full. */
  async fullSpeed(count: number): Promise<LoadResult> {
    return this.run(count, async (startedMs) => {
      this.ready.length = 0;
      for (let slot = 0; slot < WINDOW; slot += 1) this.ready.push(...this.lanes);
      const until = this.received + count;
      while (this.received < until) {
        const take = Math.min(PER_TURN, until - this.received);
        for (const lane of this.ready.splice(0, take)) this.receive(lane, performance.now());
        await nextTurn();
      }
      this.ready.length = 0;
      return startedMs;
    });
  }

  /** So many payments per second, each due at its own time, over all channels in turn. */
  async paced(rate: number, seconds: number): Promise<LoadResult> {
    const count = Math.round(rate * seconds);
    return this.run(count, async (startedMs) => {
      for (let sent = 0; sent < count;) {
        const due = Math.min(count, Math.floor(((performance.now() - startedMs) / 1000) * rate) + 1);
        for (let turn = 0; sent < due && turn < PER_TURN; turn += 1, sent += 1) {
          const lane = this.lanes[sent % this.lanes.length];
          if (lane !== undefined) this.receive(lane, startedMs + (sent / rate) * 1000);
        }
        await (sent < due ? nextTurn() : new Promise((resolve) => setTimeout(resolve, 1)));
      }
      this.ready.length = 0;
      return startedMs;
    });
  }

  async close(): Promise<boolean> {
    return (await this.payments?.close(COMMIT_MS)) ?? true;
  }

  private async run(count: number, feed: (startedMs: number) => Promise<number>): Promise<LoadResult> {
    const [freedBefore, committedBefore] = [this.freed, this.committed];
    [this.freedMs, this.committedMs, this.published, this.batches] = [[], [], 0, 0];
    const startedMs = await feed(performance.now());
    await this.until(() => this.freed - freedBefore >= count);
    const acknowledgedSeconds = (performance.now() - startedMs) / 1000;
    await this.until(() => this.committed - committedBefore >= count);
    const committedSeconds = (performance.now() - startedMs) / 1000;
    return {
      payments: count,
      acknowledgedPerSecond: count / acknowledgedSeconds,
      committedPerSecond: count / committedSeconds,
      published: this.published,
      batches: this.batches,
      freedMs: this.freedMs,
      committedMs: this.committedMs,
    };
  }

  private receive(lane: Lane, atMs: number): void {
    const k = lane.receivedAtMs.length + 1;
    const signature = lane.channel.signatures[k - 1];
    if (signature === undefined) throw new Error('too few payments were signed beforehand');
    lane.receivedAtMs.push(atMs);
    this.received += 1;
    if (!verifyBuyerSignature(lane.channel.template, k, signature, ecdsa).ok) throw new Error('a payment is false');
    this.payments?.pay(lane.channel.id, k, signature);
  }

  private onAcknowledged(seq: number, payload: PaymentBatch): void {
    const entries = payload.payments.flatMap(({ channelId, k }) => {
      const lane = this.laneOf.get(channelId);
      return lane === undefined ? [] : [[lane, k] as const];
    });
    this.published += entries.length;
    this.batches += 1;
    this.stored.push({ seq, entries });
  }

  private onFreed(channelId: string, k: number): void {
    const lane = this.laneOf.get(channelId);
    if (lane === undefined) return;
    const nowMs = performance.now();
    for (; lane.freed < k; lane.freed += 1) {
      this.freedMs.push(nowMs - (lane.receivedAtMs[lane.freed] ?? nowMs));
      this.freed += 1;
      this.ready.push(lane);
    }
  }

  private onCommitted(committedSeq: number): void {
    const nowMs = performance.now();
    while ((this.stored[0]?.seq ?? Infinity) <= committedSeq) {
      for (const [lane, k] of this.stored.shift()?.entries ?? []) {
        for (; lane.committed < k; lane.committed += 1) {
          this.committedMs.push(nowMs - (lane.receivedAtMs[lane.committed] ?? nowMs));
          this.committed += 1;
        }
      }
    }
  }

  private async until(reached: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + COMMIT_MS;
    while (!reached()) {
      if (performance.now() > deadlineMs) throw new Error('payments were not made durable in time');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
