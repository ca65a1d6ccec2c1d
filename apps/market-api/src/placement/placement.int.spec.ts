import { nodeAssignments, nodeHeartbeat, nodeRegister, seedingReport, type Bus } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile } from '../testing/torrent-file.js';
import { placementOverview, placementPreview, torrentPlacement } from './placement.schemas.js';

let api: RunningMarketApi;
let bus: Bus;
let beating: NodeJS.Timeout;
/** Nodes that are heard of, each on an address and in a zone of its own. */
const alive = new Map<string, string>();
const torrents = Array.from({ length: 12 }, (_, index) => torrentFile(`placed-${index}`));

const http = (method: 'get' | 'post' | 'put', path: string) =>
  request(api.url)[method](path).set('authorization', `Bearer ${api.key}`);

const PATIENCE_MS = 90_000;

/** Moving waits for silence to be believed and for the next look. */
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: PATIENCE_MS - 10_000, interval: 250 });

function beat(nodeId: string, peerAddress: string): void {
  const idle = { connections: 0, activeChannels: 0, joinedChannels: 0, piecesSold: 0, bytesSold: 0, exposureBytes: 0 };
  bus.publish(nodeHeartbeat, [], { nodeId, peerAddress, ...idle, draining: false });
}

async function join(nodeId: string, host: string): Promise<void> {
  const peerAddress = `${host}:7881`;
  alive.set(nodeId, peerAddress);
  const place = { zone: nodeId, capacityBytes: null, maxTorrents: null, weight: 1 };
  const answer = await bus.request(nodeRegister, { nodeId, peerAddress, version: '1', place });
  expect(answer.ok).toBe(true);
}

/** The torrents a node is told to seed; it says that it does, as a node would once it has verified them. */
async function assigned(nodeId: string): Promise<string[]> {
  const answer = await bus.request(nodeAssignments, { nodeId, after: null });
  if (!answer.ok) throw new Error(answer.code);
  const hashes = answer.value.torrents.map(({ infoHash }) => infoHash);
  const reports = hashes.map((infoHash) => ({ infoHash, state: 'on-sale' as const, progress: 1, detail: '' }));
  await bus.request(seedingReport, { nodeId, reports });
  return hashes;
}

/** How many nodes are told to seed each torrent. */
async function sellers(): Promise<number[]> {
  const told = new Map(torrents.map(({ infoHash }) => [infoHash, 0]));
  for (const nodeId of alive.keys()) {
    for (const infoHash of await assigned(nodeId)) told.set(infoHash, (told.get(infoHash) ?? 0) + 1);
  }
  return [...told.values()];
}

const all = (count: number): number[] => torrents.map(() => count);

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  bus = await api.busOf('swarm-node');
  beating = setInterval(() => alive.forEach((address, id) => beat(id, address)), 2_000);
});
afterAll(async () => {
  clearInterval(beating);
  await api.stop();
});

it('gives every torrent to two of the nodes, and says so', async () => {
  for (const [index, id] of ['a', 'b', 'c'].entries()) await join(id, `192.0.2.${index}`);
  for (const file of torrents) {
    await http('post', '/v1/torrents').send({ metainfo: file.base64, contentPath: '/srv/x' }).expect(201);
  }
  expect(await sellers()).toEqual(all(2));
  const { body } = await http('get', `/v1/torrents/${torrents[0]?.infoHash}/placement`).expect(200);
  expect(expectShape(torrentPlacement, body)).toMatchObject({ wanted: 2, setByOperator: false, shortage: null });
  expect((await http('get', '/v1/placement')).body.nodes).toHaveLength(3);
});

it('follows the number that an operator sets, and says what is short', { timeout: PATIENCE_MS }, async () => {
  const path = `/v1/torrents/${torrents[0]?.infoHash}`;
  await http('put', `${path}/replicas`).send({ replicas: 9 }).expect(200);
  const { body } = await http('get', `${path}/placement`).expect(200);
  expect(body).toMatchObject({ wanted: 9, setByOperator: true, shortage: 'no-free-address' });
  expect(body.nodes).toHaveLength(3);
  await http('put', `${path}/replicas`).send({ replicas: null }).expect(200);
  await soon(async () => expect(await sellers()).toEqual(all(2)));
  await http('put', `/v1/torrents/${'0'.repeat(40)}/replicas`)
    .send({ replicas: 1 })
    .expect(404);
  await http('put', `${path}/replicas`).send({ replicas: -1 }).expect(400);
});

it('shows what a change would move, and moves nothing', async () => {
  const before = expectShape(placementOverview, (await http('get', '/v1/placement').expect(200)).body);
  const answer = await http('post', '/v1/placement/preview')
    .send({ without: ['c'] })
    .expect(200);
  const preview = expectShape(placementPreview, answer.body);
  const ofC = before.nodes.find(({ nodeId }) => nodeId === 'c')?.torrents ?? 0;
  expect(ofC).toBeGreaterThan(0);
  expect(preview).toMatchObject({ torrents: 12, copies: ofC, shortages: {} });
  expect(preview.nodes.find(({ nodeId }) => nodeId === 'c')).toMatchObject({ torrentsBefore: ofC, torrentsAfter: 0 });
  expect((await http('get', '/v1/placement')).body.nodes).toEqual(before.nodes);
  await http('post', '/v1/placement/preview')
    .send({ without: ['stranger'] })
    .expect(404);
});

it('lets a cordoned node sell until others do', { timeout: PATIENCE_MS }, async () => {
  await http('post', '/v1/nodes/a/cordon').send({ why: 'disk to be replaced' }).expect(200);
  const hadA = await assigned('a');
  expect(hadA.length).toBeGreaterThan(0);
  await assigned('b');
  await assigned('c');
  await soon(async () => expect(await assigned('a')).toEqual([]));
  alive.delete('a');
  expect(await sellers()).toEqual(all(2));
  alive.set('a', '192.0.2.0:7881');
  await http('post', '/v1/nodes/a/uncordon').expect(200);
  const { items } = (await http('get', '/v1/audit?limit=50')).body;
  expect(items.map(({ action }: { action: string }) => action)).toEqual(
    expect.arrayContaining(['node.cordon', 'node.uncordon', 'torrent.replicas']),
  );
  await http('post', '/v1/nodes/stranger/cordon').send({ why: 'x' }).expect(404);
});

it('places elsewhere what a silent node had', { timeout: PATIENCE_MS }, async () => {
  alive.delete('b');
  await soon(async () => expect(await sellers()).toEqual(all(2)));
  const { body } = await http('get', '/v1/placement').expect(200);
  expect(body.nodes.find(({ nodeId }: { nodeId: string }) => nodeId === 'b')).toMatchObject({
    standing: 'gone',
    torrents: 0,
  });
});
