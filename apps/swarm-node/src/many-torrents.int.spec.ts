import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus } from '@seedfleet/bus';
import { createLogger, createRegistry, HealthRegistry } from '@seedfleet/service-kit';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { swarmNodeConfig } from './config.js';
import { SwarmNode } from './node.js';
import { FakeFleet } from './testing/fake-fleet.js';

const TORRENTS = 2_000;
const PIECE = 16_384;
/** Announces per second that the budget allows, and as many at once after a quiet time. */
const ANNOUNCES_PER_SECOND = 20;
const WINDOW_MS = 2_000;
/** Begun before the window, answered in it. */
const CONCURRENT_ANNOUNCES = 16;
const WAIT = { timeout: 120_000, interval: 100 };
const offer = {
  version: 1,
  priceSat: 1_000n,
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: 1_000n,
  maxSellers: 5,
  freeTier: null,
};

const fleetId = `test-${randomUUID().slice(0, 8)}`;
let folder: string;
let fleet: FakeFleet;
let tracker: Server;
/** When the tracker was asked, ms. */
const asked: number[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-many-'));
  fleet = await FakeFleet.start(inject('natsUrl'), fleetId);
  fleet.pageTorrents = 100;
  tracker = createServer(({ url }, response) => {
    // Farewells at a stop have a bound of their own.
    if (url?.includes('event=stopped') === false) asked.push(performance.now());
    response.end('d8:intervali1800e5:peers0:e');
  }).listen(0, '127.0.0.1');
  await once(tracker, 'listening');
  const announce = `http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`;
  // The same content under many names: to the node each is a torrent of its own.
  const content = Buffer.alloc(2 * PIECE, 'many');
  const hashes = Buffer.concat([0, 1].map((at) => sha1(content.subarray(at * PIECE, (at + 1) * PIECE))));
  for (let at = 0; at < TORRENTS; at++) {
    // A few of them have files of their own, so that one can change.
    const contentPath = join(folder, at < 3 ? `content-${at}` : 'content');
    if (at <= 3) await writeFile(contentPath, content);
    const name = `volume-${at}`;
    const info = Buffer.concat([
      Buffer.from(`d6:lengthi${content.length}e4:name${name.length}:${name}12:piece lengthi${PIECE}e6:pieces40:`),
      hashes,
      Buffer.from('e'),
    ]);
    const infoHash = sha1(info).toString('hex');
    const torrent = Buffer.concat([
      Buffer.from(`d8:announce${announce.length}:${announce}4:info`),
      info,
      Buffer.from('e'),
    ]);
    fleet.metainfo.set(infoHash, torrent);
    fleet.assignments.push({
      infoHash,
      state: 'active',
      version: 1,
      metainfoBytes: torrent.length,
      contentPath,
      offer,
    });
  }
});

afterAll(async () => {
  tracker.close();
  await fleet.stop();
  await rm(folder, { recursive: true });
});

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}

/** Runs a node on the same disk until all is on sale and announces have gone on for a while. */
async function run(): Promise<{ readonly bytesRead: number }> {
  const natsUrl = inject('natsUrl');
  const onRejected = (): void => undefined;
  const bus = await Bus.connect({ natsUrl, fleetId, service: 'swarm-node', instance: 'test', onRejected });
  const config = swarmNodeConfig.parse({
    SEEDFLEET_NETWORK: 'regtest',
    FLEET_ID: fleetId,
    NATS_URL: natsUrl,
    NODE_ID: 'node-1',
    DATA_DIR: join(folder, 'data'),
    DRAIN_MS: '300',
  });
  const registry = createRegistry('swarm-node');
  const value = async (name: string): Promise<number> =>
    Number(new RegExp(`^seedfleet_node_${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(await registry.metrics())?.[1] ?? 0);
  const logger = createLogger('swarm-node', process.env['TEST_LOG'] ?? 'fatal');
  const node = await SwarmNode.open({ config, logger, registry, health: new HealthRegistry(), bus });
  node.start();
  const onSale = async (): Promise<number> =>
    Number(/state="on-sale"[^}]*\} (\d+)/.exec(await registry.metrics())?.[1] ?? 0);
  await expect.poll(onSale, WAIT).toBe(TORRENTS);
  const before = asked.length;
  await expect.poll(() => asked.length - before, WAIT).toBeGreaterThan(3 * ANNOUNCES_PER_SECOND);
  const bytesRead = await value('verified_bytes_total');
  await node.stop();
  await bus.close();
  return { bytesRead };
}

it('sells thousands of torrents again after a restart without reading what has not changed, and spreads announces', async () => {
  expect((await run()).bytesRead).toBe(TORRENTS * 2 * PIECE);
  // Touched while the node was down, so it is read again: alone.
  await utimes(join(folder, 'content-1'), new Date(), new Date());
  asked.length = 0;
  const startedMs = performance.now();
  expect((await run()).bytesRead).toBe(2 * PIECE);
  expect(asked.length).toBeGreaterThan(0);
  for (let from = startedMs; from < performance.now(); from += WINDOW_MS / 2) {
    const inWindow = asked.filter((at) => at >= from && at < from + WINDOW_MS).length;
    expect(inWindow).toBeLessThanOrEqual(ANNOUNCES_PER_SECOND * (WINDOW_MS / 1000 + 1) + CONCURRENT_ANNOUNCES);
  }
}, 240_000);
