import type { Peer } from '@seedfleet/bittorrent';
import type { ConnectionEvent } from '@seedfleet/exchange';
import { policyWith } from '@seedfleet/policy';
import { Registry } from '@seedfleet/service-kit';
import { describe, expect, it } from 'vitest';
import type { TorrentOnSale } from '../content/shelf.js';
import { Exposure } from '../limits/exposure.js';
import { originOf } from '../limits/origin.js';
import { NodeMetrics } from '../metrics/node-metrics.js';
import { PieceDelivery } from './piece-delivery.js';
import type { SellingServices } from './services.js';

const BYTES = 16;

/** A delivery whose disk answers when told, and whose socket takes everything at once. */
function deliveryWith() {
  const exposure = new Exposure(policyWith(), () => undefined);
  const reads: (() => void)[] = [];
  const events: ConnectionEvent[] = [];
  const count = { leases: 0, sent: 0 };
  const read = () =>
    new Promise((resolve) => {
      reads.push(() => {
        count.leases += 1;
        resolve({ ok: true, value: { data: new Uint8Array(BYTES), release: () => void (count.leases -= 1) } });
      });
    });
  const services = { exposure, pieces: { read }, metrics: new NodeMetrics(new Registry()), nowMs: () => 0 };
  const sendFrame = (_header: Uint8Array, _body: Uint8Array, { onFlushed }: { onFlushed: () => void }): void => {
    count.sent += 1;
    onFlushed();
  };
  const delivery = new PieceDelivery(
    services as unknown as SellingServices,
    { content: {} } as TorrentOnSale,
    originOf('198.51.100.7', false),
    { sendFrame } as unknown as Peer,
    (event) => events.push(event),
    () => undefined,
  );
  const load = (entry: number): void => delivery.load({ type: 'load-piece', entry, piece: 0, sizeBytes: BYTES });
  const deliver = (entry: number): void =>
    delivery.deliver({ type: 'deliver-piece', id: 69, entry, piece: 0, sizeBytes: BYTES });
  const answer = async (): Promise<void> => {
    reads.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { delivery, exposure, events, count, load, deliver, answer };
}

describe('a piece that was paid for before it left', () => {
  it('is delivered all the same when its payment is durable while it is being read', async () => {
    const { delivery, exposure, events, count, load, deliver, answer } = deliveryWith();
    load(1);
    delivery.stored(1);
    await answer();
    expect(events).toEqual([{ type: 'piece-loaded', entry: 1 }]);
    deliver(1);
    expect([count.sent, count.leases, exposure.bytes]).toEqual([1, 0, 0]);
  });

  it('is delivered, and its memory given back, when its payment is durable before it is its turn', async () => {
    const { delivery, exposure, count, load, deliver, answer } = deliveryWith();
    load(1);
    await answer();
    delivery.stored(1);
    deliver(1);
    expect([count.sent, count.leases, exposure.bytes]).toEqual([1, 0, 0]);
  });

  it('counts as exposure until its payment, where that comes later', async () => {
    const { delivery, exposure, load, deliver, answer } = deliveryWith();
    load(1);
    await answer();
    deliver(1);
    expect(exposure.bytes).toBe(BYTES);
    delivery.stored(1);
    expect(exposure.bytes).toBe(0);
  });
});
