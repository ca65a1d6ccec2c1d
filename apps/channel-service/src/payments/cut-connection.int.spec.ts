import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';

/** Stands between the intake and the broker, and cuts every connection when told. */
class CutProxy {
  private readonly sockets = new Set<net.Socket>();
  private readonly server: net.Server;
  port = 0;

  constructor(target: URL) {
    this.server = net.createServer((client) => {
      const upstream = net.connect(Number(target.port), target.hostname);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as net.AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.server.close();
    this.cut();
  }
}

describe('an intake whose connection to the broker keeps breaking', () => {
  let fleet: TestFleet;
  let settler: ServiceProcess;
  let intake: ServiceProcess;
  let proxy: CutProxy;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    const nats = new URL(inject('natsUrl'));
    proxy = new CutProxy(nats);
    await proxy.listen();
    const through = new URL(nats);
    through.hostname = '127.0.0.1';
    through.port = String(proxy.port);
    settler = fleet.service('settler');
    intake = fleet.service('intake', { NATS_URL: through.href });
    await settler.start();
    await intake.start();
  });

  afterAll(async () => {
    await fleet.close(intake, settler);
    proxy.close();
  });

  it('passes no payment over: what the watermark has passed is stored', async () => {
    const channels = await fleet.fundedTogether(16);
    let publishing = true;
    const cutting = (async () => {
      while (publishing) {
        await sleep(300);
        proxy.cut();
      }
    })();
    // One message for each channel: a delivery that is lost is a payment that no later message repeats.
    let seq = 0;
    for (const [place, { channelId, buyer }] of channels.entries()) {
      seq = await fleet.publish({ payments: [{ channelId, k: place + 1, signature: buyer.pay(place + 1) }] });
      await sleep(120);
    }
    publishing = false;
    await cutting;
    await fleet.committed(seq);
    const stored = await Promise.all(channels.map(async ({ channelId }) => Number((await fleet.row(channelId)).k)));
    expect(stored).toEqual(channels.map((_, place) => place + 1));
    expect(await fleet.prisma.parkedPayment.count()).toBe(0);
  });
});
