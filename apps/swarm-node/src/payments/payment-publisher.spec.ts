import { policyWith } from '@seedfleet/policy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PaymentPublisher, type PaymentBatch } from './payment-publisher.js';

const signature = Uint8Array.of(1, 2, 3);

interface Bench {
  readonly publisher: PaymentPublisher;
  readonly batches: PaymentBatch[];
  readonly stored: [string, number][];
  /** Answers the oldest batch on its way. */
  readonly answer: (ok: boolean) => Promise<void>;
  readonly clock: { ms: number };
}

function bench(overrides: Parameters<typeof policyWith>[0] = {}): Bench {
  const batches: PaymentBatch[] = [];
  const waiting: { resolve: (ack: { seq: number }) => void; reject: (why: Error) => void }[] = [];
  const stored: [string, number][] = [];
  const clock = { ms: 0 };
  let seq = 0;
  const publisher = new PaymentPublisher(policyWith(overrides), {
    store: (batch) => {
      batches.push(batch);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    onStored: (channelId, k) => stored.push([channelId, k]),
    onEndStored: () => undefined,
    onAcknowledged: () => undefined,
    onFailure: () => undefined,
    nowMs: () => clock.ms,
  });
  const answer = async (ok: boolean): Promise<void> => {
    await turn();
    const next = waiting.shift();
    if (ok) next?.resolve({ seq: ++seq });
    else next?.reject(new Error('no'));
    await turn();
  };
  return { publisher, batches, stored, answer, clock };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('PaymentPublisher', () => {
  it('sends one batch at a time, the highest payment of each channel', async () => {
    const { publisher, batches, stored, answer } = bench();
    publisher.pay('a', 1, signature);
    await turn();
    for (let k = 2; k <= 5; k++) publisher.pay('a', k, signature);
    publisher.pay('b', 1, signature);
    await turn();
    expect(batches.length).toBe(1);
    await answer(true);
    await answer(true);
    expect(batches.map(({ payments }) => payments.map(({ channelId, k }) => [channelId, k]))).toEqual([
      [['a', 1]],
      [
        ['a', 5],
        ['b', 1],
      ],
    ]);
    expect(stored).toEqual([
      ['a', 1],
      ['a', 5],
      ['b', 1],
    ]);
  });

  it('frees nothing before the acknowledgement and sends again what failed, with what came since', async () => {
    const { publisher, batches, stored, answer, clock } = bench();
    publisher.pay('a', 1, signature);
    await answer(false);
    expect(stored).toEqual([]);
    clock.ms = 3_000;
    expect(publisher.oldestUnacknowledgedMs()).toBe(3_000);
    expect(publisher.waitingLongerThan(2_000)).toEqual(['a']);
    publisher.pay('a', 2, signature);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await answer(true);
    expect(batches.at(-1)?.payments.map(({ k }) => k)).toEqual([2]);
    expect([stored, publisher.oldestUnacknowledgedMs()]).toEqual([[['a', 2]], 0]);
  });

  it('sends an end with or after its last payment, and keeps both until they are committed', async () => {
    const { publisher, batches, answer } = bench();
    publisher.pay('a', 7, signature);
    publisher.end('a', 7, 'buyer-finished');
    await answer(true);
    expect(batches[0]).toMatchObject({
      payments: [{ channelId: 'a', k: 7 }],
      ends: [{ channelId: 'a', k: 7, reason: 'buyer-finished' }],
    });
    publisher.onWatermark(0n, 'epoch');
    expect(publisher.retained).toBe(1);
    publisher.republish();
    await answer(true);
    expect(batches[1]).toEqual(batches[0]);
    publisher.onWatermark(2n, 'epoch');
    expect(publisher.retained).toBe(0);
  });

  it('sends everything again into a stream that was made anew', async () => {
    const { publisher, batches, answer } = bench();
    publisher.onWatermark(0n, 'first');
    publisher.pay('a', 3, signature);
    await answer(true);
    publisher.onWatermark(900n, 'second');
    await answer(true);
    expect(batches.length).toBe(2);
    expect(publisher.retained).toBe(1);
  });

  it('keeps batches within their bounds', async () => {
    const { publisher, batches, answer } = bench({ paymentBatch: { maxEntries: 3 } });
    for (let at = 0; at < 7; at++) publisher.pay(`channel-${at}`, 1, signature);
    for (let at = 0; at < 3; at++) await answer(true);
    expect(batches.map(({ payments }) => payments.length)).toEqual([3, 3, 1]);
    await expect(publisher.flushed()).resolves.toBeUndefined();
  });

  it('never reports stored what no acknowledged batch carried, and in the end everything is carried', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('pay' as const), channel: fc.nat(3) }),
      fc.record({ do: fc.constant('end' as const), channel: fc.nat(3) }),
      fc.record({ do: fc.constant('ack' as const), channel: fc.constant(0) }),
      fc.record({ do: fc.constant('republish' as const), channel: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { publisher, batches, stored, answer } = bench();
        const paid = new Map<string, number>();
        const ended = new Map<string, number>();
        for (const { do: action, channel } of steps) {
          const id = `channel-${channel}`;
          if (action === 'pay' && !ended.has(id)) {
            paid.set(id, (paid.get(id) ?? 0) + 1);
            publisher.pay(id, paid.get(id) ?? 0, signature);
          } else if (action === 'end' && !ended.has(id)) {
            ended.set(id, paid.get(id) ?? 0);
            publisher.end(id, paid.get(id) ?? 0, 'done');
          } else if (action === 'ack') await answer(true);
          else if (action === 'republish') publisher.republish();
        }
        for (let rounds = 0; rounds < 20; rounds++) await answer(true);
        await publisher.flushed();
        const carried = new Map<string, number>();
        for (const { payments, ends } of batches) {
          for (const { channelId, k } of payments) carried.set(channelId, Math.max(carried.get(channelId) ?? 0, k));
          for (const { channelId, k } of ends) expect(carried.get(channelId) ?? 0).toBe(k);
        }
        expect(carried).toEqual(paid);
        for (const [channelId, k] of stored) expect(carried.get(channelId) ?? 0).toBeGreaterThanOrEqual(k);
        expect(new Set(batches.flatMap(({ ends }) => ends.map((end) => end.channelId)))).toEqual(new Set(ended.keys()));
      }),
      { numRuns: 60 },
    );
  });
});
