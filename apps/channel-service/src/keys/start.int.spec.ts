import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TestFleet } from '../testing/test-fleet.js';

describe('starting', () => {
  let fleet: TestFleet;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    const settler = fleet.service('settler');
    await settler.start();
    await settler.end('SIGTERM');
  });

  afterAll(() => fleet.close());

  it('refuses a wrong passphrase and a missing seed, each with its message', async () => {
    writeFileSync(fleet.keyFile, 'wrong');
    const wrong = fleet.service('settler');
    expect(await wrong.launch()).toBe(1);
    expect(wrong.log).toContain('the passphrase is wrong, or the file is corrupt');
    rmSync(fleet.seedFile);
    const missing = fleet.service('settler');
    expect(await missing.launch()).toBe(1);
    expect(missing.log).toContain('restore the file');
  });

  it('refuses to start without a network, and a settler without its seed’s files', async () => {
    const nowhere = fleet.service('intake', { SEEDFLEET_NETWORK: '' });
    expect(await nowhere.launch()).toBe(78);
    expect(nowhere.log).toContain('SEEDFLEET_NETWORK is not set');
    const seedless = fleet.service('settler', { SEED_FILE: '' });
    expect(await seedless.launch()).toBe(78);
    expect(seedless.log).toContain('SEED_FILE');
  });

  it('refuses a main network whose broker promises less than configured', async () => {
    const alone = fleet.service('intake', { SEEDFLEET_NETWORK: 'mainnet', NATS_REPLICAS: '3' });
    expect(await alone.launch()).toBe(78);
    expect(alone.log).toContain('NATS_REPLICAS=3 is more than the broker has');
    // As a server without `sync_interval: always` describes itself.
    const monitor = createServer((_request, response) => {
      const config = { store_dir: '/data', sync_interval: 120_000_000_000 };
      response.end(JSON.stringify({ server_name: 'hasty', version: '2.10.27', jetstream: { config } }));
    });
    await new Promise<void>((listening) => monitor.listen(0, '127.0.0.1', listening));
    const NATS_MONITOR_URLS = `http://127.0.0.1:${(monitor.address() as AddressInfo).port}`;
    const hasty = fleet.service('intake', { SEEDFLEET_NETWORK: 'mainnet', NATS_MONITOR_URLS });
    expect(await hasty.launch()).toBe(78);
    expect(hasty.log).toContain('broker-flushes-later: hasty');
    // On regtest it goes on, and says so.
    const warned = fleet.service('intake', { BROKER_DURABILITY: 'fsync', NATS_MONITOR_URLS });
    await warned.start();
    expect(await (await warned.fetch('/health')).text()).toContain('broker-flushes-later');
    await warned.end('SIGTERM');
    monitor.close();
  });

  it('tells what an acknowledgement of the broker is worth, and what of it nothing proves', async () => {
    const noteOf = async (environment: Record<string, string>): Promise<string> => {
      const intake = fleet.service('intake', environment);
      await intake.start();
      const { notes } = (await (await intake.fetch('/health')).json()) as { notes: Record<string, string> };
      await intake.end('SIGTERM');
      return notes['broker-durability'] ?? '';
    };
    const blind = await noteOf({ BROKER_DURABILITY: 'fsync' });
    expect(blind).toContain('which is unknown');
    expect(blind).toContain('not verified: whether');
    const natsMonitorUrl = inject('natsMonitorUrl');
    if (natsMonitorUrl === '') return;
    expect(await noteOf({ BROKER_DURABILITY: 'fsync', NATS_MONITOR_URLS: natsMonitorUrl })).toBe(
      'a message is on the disk of one server when it is acknowledged',
    );
  });

  it('names a database that is not there, or has no tables', async () => {
    const gone = fleet.service('intake', { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(await gone.launch()).toBe(1);
    expect(gone.log).toContain('127.0.0.1:1');
    const empty = new URL(fleet.databaseUrl);
    empty.pathname = '/postgres';
    const bare = fleet.service('intake', { DATABASE_URL: empty.href });
    expect(await bare.launch()).toBe(1);
    expect(bare.log).toContain('deploy the migrations');
  });
});
