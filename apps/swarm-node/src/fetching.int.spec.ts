import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';
import { assignmentsChanged, Bus, torrentsTakenDown } from '@seedfleet/bus';
import { createLogger, createRegistry, HealthRegistry, type Registry } from '@seedfleet/service-kit';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { swarmNodeConfig } from './config.js';
import { SwarmNode } from './node.js';
import { FakeFleet } from './testing/fake-fleet.js';

const PIECE = 16 * 1024;
const PIECES = 40;
const SECRET = 'X-Signature=do-not-show';
const fleetId = `test-${randomUUID().slice(0, 8)}`;
const offer = {
  version: 1,
  priceSat: 100n,
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: 1_000n,
  maxSellers: 5,
  freeTier: null,
};
/** Room for two of the torrents here. */
const QUOTA_BYTES = 2.5 * PIECES * PIECE;

let folder: string;
let store: Server;
let storeUrl: string;
let fleet: FakeFleet;
let bus: Bus;
let registry: Registry;
let node: SwarmNode;
let log = '';
/** Bytes that the store sends of an answer before it cuts it off; undefined: all. */
let cutAfter: number | undefined;
const ranges: string[] = [];

async function startNode(): Promise<void> {
  registry = createRegistry('swarm-node');
  bus = await Bus.connect({
    natsUrl: inject('natsUrl'),
    fleetId,
    service: 'swarm-node',
    instance: 'test',
    onRejected: ({ code, subject, detail }) => {
      throw new Error(`${code} on ${subject}: ${detail}`);
    },
  });
  const config = swarmNodeConfig.parse({
    SEEDFLEET_NETWORK: 'regtest',
    FLEET_ID: fleetId,
    NATS_URL: inject('natsUrl'),
    NODE_ID: 'node-1',
    DATA_DIR: join(folder, 'node-1'),
    CONTENT_QUOTA_BYTES: String(QUOTA_BYTES),
    CONTENT_KEEP_FREE_BYTES: '0',
    CONTENT_NETWORKS: '127.0.0.0/8',
    DHT: 'false',
    UTP: 'false',
    DRAIN_MS: '100',
  });
  const logger = createLogger('swarm-node', 'debug', {
    write: (line) => {
      log += line;
    },
  });
  node = await SwarmNode.open({ config, logger, registry, health: new HealthRegistry(), bus });
  node.start();
}

async function stopNode(): Promise<void> {
  await node.stop();
  await bus.close();
}

/** Puts a torrent into the store and has the node told to seed it. */
async function assign(name: string, place?: string, pieceLengthBytes = PIECE): Promise<Metainfo> {
  const path = join(folder, 'store', name);
  await writeFile(path, Buffer.alloc(PIECES * PIECE, name));
  const torrent = await createMetainfo(path, { pieceLengthBytes });
  const parsed = parseMetainfo(torrent);
  if (!parsed.ok) throw new Error(parsed.error.code);
  const { infoHash } = parsed.value;
  fleet.metainfo.set(infoHash, torrent);
  const contentPath = place ?? `${storeUrl}/${name}?${SECRET}`;
  fleet.assignments.push({ infoHash, state: 'active', version: 1, metainfoBytes: torrent.length, contentPath, offer });
  tellAssignments();
  return parsed.value;
}

function tellAssignments(): void {
  fleet.bus.publish(assignmentsChanged, [], { reason: 'test' });
}

function withdraw({ infoHash }: Metainfo): void {
  fleet.assignments.splice(
    fleet.assignments.findIndex((each) => each.infoHash === infoHash),
    1,
  );
}

async function reported({ infoHash }: Metainfo, state: string, detail = ''): Promise<void> {
  const latest = () => fleet.reports.findLast((report) => report.infoHash === infoHash);
  await vi.waitFor(
    () => expect(latest()).toMatchObject({ state, detail: expect.stringContaining(detail) as unknown }),
    { timeout: 30_000 },
  );
}

function held({ infoHash, name }: Metainfo): string {
  return join(folder, 'node-1', 'content', infoHash, 'data', name);
}

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetching-'));
  await mkdir(join(folder, 'store'));
  await mkdir(join(folder, 'node-1'));
  store = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://store');
    if (search !== `?${SECRET}`) return void response.writeHead(403).end();
    ranges.push(request.headers.range ?? '');
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    void readFile(join(folder, 'store', pathname)).then((bytes) => {
      response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
      const end = cutAfter === undefined ? bytes.length : from + cutAfter;
      response.write(bytes.subarray(from, end), () => (end >= bytes.length ? response.end() : response.destroy()));
    });
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  storeUrl = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  fleet = await FakeFleet.start(inject('natsUrl'), fleetId);
  await startNode();
});

afterAll(async () => {
  await stopNode();
  await fleet.stop();
  store.closeAllConnections();
  store.close();
  await rm(folder, { recursive: true });
});

it('fetches what it is told to seed over cut connections and a restart, and puts it on sale', async () => {
  cutAfter = 5 * PIECE + 100;
  const film = await assign('film');
  await vi.waitFor(
    () => expect(fleet.reports.some(({ state, progress }) => state === 'fetching' && progress > 0)).toBe(true),
    { timeout: 30_000 },
  );
  await stopNode();
  const before = ranges.length;
  cutAfter = undefined;
  await startNode();
  await reported(film, 'on-sale');
  // It went on where it was, not from the beginning.
  expect(ranges[before]).toMatch(/^bytes=[1-9]\d*-$/);
  expect((await readFile(held(film))).equals(await readFile(join(folder, 'store', 'film')))).toBe(true);
  expect(await registry.metrics()).toMatch(new RegExp(`seedfleet_node_fetched_held_bytes\\S* ${PIECES * PIECE}`));
});

it('mends content that was spoilt on its disk', async () => {
  const spoilt = await assign('spoilt');
  await reported(spoilt, 'on-sale');
  await stopNode();
  const bytes = await readFile(held(spoilt));
  bytes.fill(0, 7 * PIECE, 7 * PIECE + 10);
  await writeFile(held(spoilt), bytes);
  fleet.reports.length = 0;
  const before = ranges.length;
  await startNode();
  await reported(spoilt, 'on-sale');
  expect(ranges.slice(before)).toEqual([`bytes=${7 * PIECE}-`]);
  expect((await readFile(held(spoilt))).equals(await readFile(join(folder, 'store', 'spoilt')))).toBe(true);
  withdraw(spoilt);
});

it('evicts only what is not placed here any more, and says so where there is no room', async () => {
  tellAssignments();
  const [second, third] = [await assign('second'), await assign('third')];
  await vi.waitFor(
    () => {
      const states = [second, third].map(({ infoHash }) => fleet.reports.findLast((r) => r.infoHash === infoHash));
      expect(states.map((report) => report?.state).sort()).toEqual(['failed', 'on-sale']);
      expect(states.find((report) => report?.state === 'failed')?.detail).toContain('no-room');
    },
    { timeout: 30_000 },
  );
  expect(await readdir(join(folder, 'node-1', 'content'))).toHaveLength(2);
  for (const torrent of [second, third]) withdraw(torrent);
  tellAssignments();
});

it('fetches nothing from a private address that was not allowed, and names a link that has run out', async () => {
  const inside = await assign('inside', 'http://10.0.0.1/film');
  await reported(inside, 'failed', 'address-refused');
  withdraw(inside);
  const late = await assign('late', `${storeUrl}/late?X-Signature=old`);
  await reported(late, 'missing', 'source-refused');
  // A new link is followed at once.
  const assigned = fleet.assignments.find(({ infoHash }) => infoHash === late.infoHash);
  if (assigned !== undefined) Object.assign(assigned, { contentPath: `${storeUrl}/late?${SECRET}`, version: 2 });
  tellAssignments();
  await reported(late, 'on-sale');
  withdraw(late);
});

it('deletes what it fetched of a torrent that is taken down, and the files of others only when told to', async () => {
  const film = fleet.assignments[0]?.infoHash ?? '';
  const [kept, own] = [join(folder, 'store', 'kept'), join(folder, 'store', 'own')];
  const [keptTorrent, ownTorrent] = [await assign('kept', kept), await assign('own', own)];
  for (const torrent of [keptTorrent, ownTorrent]) await reported(torrent, 'on-sale');
  fleet.takenDown.set(film, { contentPath: `${storeUrl}/film?${SECRET}`, deleteOwn: false });
  fleet.takenDown.set(keptTorrent.infoHash, { contentPath: kept, deleteOwn: false });
  fleet.assignments.splice(0);
  fleet.bus.publish(torrentsTakenDown, [], { infoHashes: [film, keptTorrent.infoHash] });
  await vi.waitFor(() => expect(fleet.deleted.length).toBe(2), { timeout: 30_000 });
  expect(fleet.deleted).toEqual(
    expect.arrayContaining([
      { nodeId: 'node-1', infoHash: film, deletedBytes: PIECES * PIECE, leftAt: '', problem: '' },
      { nodeId: 'node-1', infoHash: keptTorrent.infoHash, deletedBytes: 0, leftAt: kept, problem: '' },
    ]),
  );
  expect(await there(join(folder, 'node-1', 'content', film))).toBe(false);
  // The order for the other one is given while the node is away.
  await stopNode();
  fleet.takenDown.set(ownTorrent.infoHash, { contentPath: own, deleteOwn: true });
  await startNode();
  await vi.waitFor(() => expect(fleet.deleted.length).toBe(3), { timeout: 30_000 });
  expect(fleet.deleted[2]).toMatchObject({ infoHash: ownTorrent.infoHash, deletedBytes: PIECES * PIECE, leftAt: '' });
  expect([await there(kept), await there(own)]).toEqual([true, false]);
});

it('keeps files that another torrent of the node names too, by whatever path, and deletes them with the last', async () => {
  const film = join(folder, 'store', 'shared');
  const other = join(folder, 'elsewhere');
  await symlink(join(folder, 'store'), other);
  const first = await assign('shared', film);
  const second = await assign('shared', join(other, 'shared'), 2 * PIECE);
  for (const torrent of [first, second]) await reported(torrent, 'on-sale');
  const before = fleet.deleted.length;
  const takeDown = (torrent: { infoHash: string }, contentPath: string): void => {
    fleet.takenDown.set(torrent.infoHash, { contentPath, deleteOwn: true });
    fleet.assignments.splice(0, 1);
    fleet.bus.publish(torrentsTakenDown, [], { infoHashes: [torrent.infoHash] });
  };
  takeDown(first, film);
  await vi.waitFor(() => expect(fleet.deleted.length).toBe(before + 1), { timeout: 30_000 });
  expect(fleet.deleted.at(-1)).toMatchObject({ infoHash: first.infoHash, deletedBytes: 0, leftAt: film });
  expect(fleet.deleted.at(-1)?.problem).toContain('1 files stay');
  expect(await there(film)).toBe(true);
  takeDown(second, join(other, 'shared'));
  await vi.waitFor(() => expect(fleet.deleted.length).toBe(before + 2), { timeout: 30_000 });
  expect(fleet.deleted.at(-1)).toMatchObject({ infoHash: second.infoHash, leftAt: '', problem: '' });
  expect(await there(film)).toBe(false);
});

it('never logs a signed link whole', () => {
  expect(log).toContain(`${storeUrl}/film?…`);
  expect(log).not.toContain(SECRET);
  expect(fleet.reports.map(({ detail }) => detail).join()).not.toContain(SECRET);
});
