import { randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import {
  Bus,
  chainGetStatus,
  channelOpen,
  channelQuote,
  consumeStream,
  ensureStream,
  FleetNatsServer,
  Handles,
  paymentStream,
  streamName,
  UnprocessableMessage,
  type BusOptions,
} from './index.js';

const STATUS = {
  tip: { height: 7, hash: 'ab'.repeat(32), medianTimePast: 1_700_000_000 },
  feeRates: {
    threeBlocksSatPerKvb: 3_000n,
    sixBlocksSatPerKvb: 2_000n,
    sixBlocksDayMedianSatPerKvb: 1_500n,
    sixBlocksDayQuarterSatPerKvb: 1_200n,
    mempoolMinimumSatPerKvb: 1_000n,
    relayMinimumSatPerKvb: 1_000n,
  },
  observedAt: 1_700_000_100,
};

@Controller()
class StatusController {
  @Handles(chainGetStatus)
  status() {
    return STATUS;
  }

  @Handles(channelOpen)
  open() {
    throw new Error('the database is away');
  }
}

@Module({ controllers: [StatusController] })
class StatusModule {}

const fleetId = `test-${randomUUID().slice(0, 8)}`;
const rejections: { code: string; subject: string }[] = [];
const opened: Bus[] = [];

async function connect(options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await Bus.connect({
    natsUrl: inject('natsUrl'),
    fleetId,
    service: 'market-api',
    instance: 'test',
    onRejected: (rejection) => rejections.push(rejection),
    ...options,
  });
  opened.push(bus);
  return bus;
}

const payment = (k: number, channelId = randomUUID()) => ({
  nodeId: 'node-1',
  payments: [{ channelId, k, signature: new Uint8Array([k]) }],
  ends: [],
});

describe('the bus on a real broker', () => {
  let bus: Bus;

  beforeAll(async () => {
    const server = await connect({ service: 'chain-watcher' });
    const app = await NestFactory.create(StatusModule, { logger: false });
    app.connectMicroservice({ strategy: new FleetNatsServer(server) });
    await app.startAllMicroservices();
    bus = await connect();
  });

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
  });

  it('answers a request with domain values', async () => {
    expect(await bus.request(chainGetStatus, {})).toEqual({ ok: true, value: STATUS });
  });

  it('refuses a request that does not fit its schema, with a code, and counts it', async () => {
    const wild = { ...channelOpen, request: z.object({ nodeId: z.string() }) };
    const reply = await bus.request(wild, { nodeId: 'node-1' });
    expect(reply).toMatchObject({ ok: false, code: 'invalid_message' });
    expect(rejections).toContainEqual(
      expect.objectContaining({ code: 'invalid_message', subject: channelOpen.subject }),
    );
  });

  it('survives bytes that are not JSON', async () => {
    bus.connection.publish(bus.subject(chainGetStatus.subject), new Uint8Array([0, 255, 1]), { reply: 'nowhere' });
    expect((await bus.request(chainGetStatus, {})).ok).toBe(true);
  });

  it('says when nobody answers to a subject', async () => {
    const nobody = { ...chainGetStatus, subject: 'no.body' };
    expect(await bus.request(nobody, {})).toMatchObject({ ok: false, code: 'bus_no_responder' });
  });

  it('does not hear another fleet on the same broker', async () => {
    const other = await connect({ fleetId: `${fleetId}-other` });
    expect(await other.request(chainGetStatus, {})).toMatchObject({ ok: false, code: 'bus_no_responder' });
  });

  it('carries events to listeners', async () => {
    const quote = { settlementFeeSat: 434n, draining: false, observedAt: 5 };
    const heard = new Promise((resolve) => {
      bus.subscribe(channelQuote, [], resolve);
    });
    await bus.connection.flush();
    bus.publish(channelQuote, [], quote);
    expect(await heard).toEqual(quote);
  });

  it('delivers every message at once, however they come', async () => {
    const quick = { ...paymentStream, stream: 'QUICK', subject: 'quick.*.*' };
    await ensureStream(bus, quick);
    const arrivals: number[] = [];
    const consumer = await consumeStream(bus, quick, {
      durable: 'intake',
      maxBatch: 8,
      handle: (messages) => {
        arrivals.push(...messages.map(({ payload }) => payload.payments[0]?.k ?? -1));
        return Promise.resolve();
      },
      onError: () => undefined,
    });
    for (let k = 0; k < 60; k += 1) {
      const stored = bus.store(quick, ['0', 'node-1'], payment(k));
      // Bursts and single messages by turns.
      if (k % 7 === 0) await stored.then(() => new Promise((resolve) => setTimeout(resolve, 20)));
    }
    await expect.poll(() => arrivals.length, { timeout: 5_000 }).toBe(60);
    expect(arrivals).toEqual(Array.from({ length: 60 }, (_, k) => k));
    await consumer.stop();
  });

  it('delivers a stream in order, again after a failure, and parks only what is hopeless', async () => {
    await ensureStream(bus, paymentStream);
    const channelId = randomUUID();
    for (const k of [1, 2, 3]) await bus.store(paymentStream, ['0', 'node-1'], payment(k, channelId));
    // Somebody's junk on the same subject.
    bus.connection.publish(bus.subject(paymentStream.subject, '0', 'node-1'), 'junk');
    await bus.store(paymentStream, ['0', 'node-1'], payment(4, channelId));

    const seen: number[] = [];
    let failures = 0;
    const consumer = await consumeStream(bus, paymentStream, {
      durable: 'intake',
      keys: ['0'],
      maxBatch: 100,
      handle: (messages) => {
        if (failures === 0) return Promise.reject(new Error('database away'));
        const hopeless = messages.find(({ payload }) => payload.payments[0]?.k === 2);
        if (hopeless !== undefined) return Promise.reject(new UnprocessableMessage(hopeless.seq, 'k 2 is cursed'));
        seen.push(...messages.map(({ payload }) => payload.payments[0]?.k ?? -1));
        return Promise.resolve();
      },
      onError: () => {
        failures += 1;
      },
    });
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([1, 3, 4]);
    await consumer.stop();
    expect(failures).toBeGreaterThanOrEqual(2);
  });

  it('ends a consumer whose stream is gone, so that its service makes both anew', async () => {
    const brief = { ...paymentStream, stream: 'BRIEF', subject: 'brief.*.*' };
    const epoch = await ensureStream(bus, brief);
    const options = { durable: 'intake', maxBatch: 8, onError: () => undefined };
    const consumer = await consumeStream(bus, brief, { ...options, startSeq: 1, handle: () => Promise.resolve() });
    let ended = false;
    void consumer.finished.then(() => (ended = true));
    await (await jetstreamManager(bus.connection)).streams.delete(streamName(bus, brief));
    expect(await ensureStream(bus, brief)).not.toBe(epoch);
    await expect.poll(() => ended, { timeout: 15_000 }).toBe(true);

    const seen: number[] = [];
    const again = await consumeStream(bus, brief, {
      ...options,
      startSeq: 1,
      handle: (messages) => Promise.resolve(void seen.push(...messages.map(({ seq }) => seq))),
    });
    await bus.store(brief, ['0', 'node-1'], payment(1));
    await expect.poll(() => seen, { timeout: 5_000 }).toEqual([1]);
    await again.stop();
  });
});
