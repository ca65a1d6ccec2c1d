import { policyWith } from '@seedfleet/policy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PaymentPublisher, type PaymentBatch } from './payment-publisher.js';

const signature = Uint8Array.of(1, 2, 3);

interface Bench {
  readonly publisher: PaymentPublisher;
  readonly batches: PaymentBatch[];
  readonly stored: [string, number][];
  /** Answers a batch on its way: the oldest, or the one at this place. */
  readonly answer: (ok: boolean, place?: number) => Promise<void>;
  readonly clock: { ms: number };
}

function bench(overrides: Parameters<typeof policyWith>[0] = {}): Bench {
  const batches: PaymentBatch[] = [];
  const waiting: { seq: number; resolve: (ack: { seq: number }) => void; reject: (why: Error) => void }[] = [];
  const stored: [string, number][] = [];
  const clock = { ms: 0 };
  let seq = 0;
  const publisher = new PaymentPublisher(policyWith(overrides), {
    store: (batch) => {
      batches.push(batch);
      seq += 1;
      return new Promise((resolve, reject) => waiting.push({ seq, resolve, reject }));
    },
    onStored: (channelId, k) => stored.push([channelId, k]),
    onEndStored: () => undefined,
    onAcknowledged: () => undefined,
    onFailure: () => undefined,
    nowMs: () => clock.ms,
  });
  const answer = async (ok: boolean, place = 0): Promise<void> => {
    await turn();
    const [next] = waiting.splice(place % Math.max(1, waiting.length), 1);
    if (ok) next?.resolve({ seq: next.seq });
    else next?.reject(new Error('no'));
    await turn();
  };
  return { publisher, batches, stored, answer, clock };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('PaymentPublisher', () => {
  const carried = (batches: readonly PaymentBatch[]) =>
    batches.map(({ payments }) => payments.map(({ channelId, k }) => `${channelId}${k}`).join(' '));

  it('sends two small batches at a time, the highest payment of each channel', async () => {
    const { publisher, batches, stored, answer } = bench();
    publisher.pay('a', 1, signature);
    await turn();
    publisher.pay('a', 2, signature);
    await turn();
    for (let k = 3; k <= 5; k++) publisher.pay('a', k, signature);
    publisher.pay('b', 1, signature);
    await turn();
    expect(carried(batches)).toEqual(['a1', 'a2']);
    await answer(true);
    await answer(true);
    await answer(true);
    expect(carried(batches)).toEqual(['a1', 'a2', 'a5 b1']);
    expect(stored.map(([channelId, k]) => `${channelId}${k}`)).toEqual(['a1', 'a2', 'a5', 'b1']);
  });

  it('sends no second batch while the first is large: the more there is, the more goes together', async () => {
    const { publisher, batches, answer } = bench();
    for (let at = 0; at < 9; at++) publisher.pay(`c${at}-`, 1, signature);
    await turn();
    publisher.pay('a', 1, signature);
    await turn();
    expect(batches.length).toBe(1);
    await answer(true);
    expect(carried(batches)[1]).toBe('a1');
  });

  it('owes nothing once a later batch is acknowledged, whatever is heard of the earlier one', async () => {
    for (const isFirstStored of [true, false]) {
      const { publisher, batches, answer, clock } = bench();
      publisher.pay('a', 1, signature);
      await turn();
      publisher.pay('a', 2, signature);
      publisher.end('a', 2, 'done');
      await answer(true, 1);
      await answer(isFirstStored);
      clock.ms = 3_000;
      expect(publisher.oldestUnacknowledgedMs()).toBe(0);
      await expect(publisher.flushed()).resolves.toBeUndefined();
      expect(batches.length).toBe(2);
      publisher.onWatermark(2n, 'epoch');
      expect(publisher.retained).toBe(0);
    }
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
      fc.record({ do: fc.constant('ack' as const), channel: fc.nat(1) }),
      fc.record({ do: fc.constant('fail' as const), channel: fc.nat(1) }),
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
          } else if (action === 'ack') await answer(true, channel);
          else if (action === 'fail') await answer(false, channel);
          else if (action === 'republish') publisher.republish();
        }
        let isFlushed = false;
        void publisher.flushed().then(() => (isFlushed = true));
        // A batch that failed leaves again after a pause.
        while (!isFlushed) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          await answer(true);
        }
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
  }, 30_000);
});
