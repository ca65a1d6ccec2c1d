import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { nodeHeartbeat, nodeRegister } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';

/** Events as a client sees them, also one whose connection breaks. */

let api: RunningMarketApi;
const file = torrentFile('Followed');
const PATIENCE = { timeout: 30_000, interval: 50 };

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
});
afterAll(() => api.stop());

interface Told {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly data: Record<string, unknown>;
}

/** Follows the stream and keeps what it says. */
function follow(query = '', headers: Record<string, string> = {}) {
  const events: Told[] = [];
  let text = '';
  let status = 0;
  const asked = requestHttp(`${api.url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${api.key}`, ...headers },
  });
  asked.on('error', () => undefined);
  asked.on('response', (answer) => {
    status = answer.statusCode ?? 0;
    answer.on('error', () => undefined);
    answer.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        const event = /^event: (.*)$/m.exec(block)?.[1];
        if (data === undefined || event === 'pulse') continue;
        events.push(event === undefined ? (JSON.parse(data) as Told) : { id: '', kind: event, subject: '', data: {} });
      }
    });
  });
  asked.end();
  return { events, status: () => status, close: () => asked.destroy() };
}

const addTorrent = async (torrent: { base64: string }) => {
  const body = { metainfo: torrent.base64, contentPath: '/srv/x' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
};

it('tells what operators, buyers, nodes and the chain do, in order and once', async () => {
  const client = follow();
  await vi.waitFor(() => expect(client.status()).toBe(200), PATIENCE);
  await addTorrent(file);
  const id = randomUUID();
  await storeChannels(
    api.admin,
    [channelRow({ id, infoHash: file.infoHash, state: 'funded', k: 3n })],
    ['joined', 'funded'],
  );
  const bus = await api.busOf('swarm-node');
  const node = { nodeId: 'node-1', peerAddress: '127.0.0.1:7881' };
  await bus.request(nodeRegister, { ...node, version: '0.1.0' });
  await api.admin.chainBlock.create({
    data: { height: 7, hash: 'b'.repeat(64), previousHash: 'a'.repeat(64), medianTimePast: 1_700_000_000 },
  });
  await vi.waitFor(() => {
    const kinds = client.events.map(({ kind }) => kind);
    expect(kinds).toEqual(
      expect.arrayContaining(['torrent.add', 'channel.joined', 'channel.funded', 'node.up', 'chain.block']),
    );
  }, PATIENCE);
  const joined = client.events.find(({ kind }) => kind === 'channel.joined');
  expect(joined).toMatchObject({ subject: id, data: { infoHash: file.infoHash, torrentName: 'Followed' } });
  const stats = { connections: 0, activeChannels: 0, joinedChannels: 0, piecesSold: 0, bytesSold: 0, exposureBytes: 0 };
  bus.publish(nodeHeartbeat, [], { ...node, ...stats, draining: true });
  await vi.waitFor(() => expect(client.events.map(({ kind }) => kind)).toContain('node.draining'), PATIENCE);
  const ids = client.events.map((event) => BigInt(event.id));
  expect(ids).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)));
  expect(new Set(ids).size).toBe(ids.length);
  client.close();
});

it('goes on where a client left off, and says so when that is no longer known', async () => {
  const first = follow('?kind=torrent.*');
  await vi.waitFor(() => expect(first.status()).toBe(200), PATIENCE);
  await addTorrent(torrentFile('One'));
  await vi.waitFor(() => expect(first.events).toHaveLength(1), PATIENCE);
  first.close();
  for (const name of ['Two', 'Three', 'Four']) await addTorrent(torrentFile(name));
  const second = follow('?kind=torrent.*', { 'last-event-id': first.events[0]?.id ?? '' });
  await vi.waitFor(() => expect(second.events).toHaveLength(3), PATIENCE);
  await addTorrent(torrentFile('Five'));
  await vi.waitFor(() => expect(second.events).toHaveLength(4), PATIENCE);
  second.close();
  const lost = follow('', { 'last-event-id': '999999999' });
  await vi.waitFor(() => expect(lost.events).toMatchObject([{ kind: 'reset' }]), PATIENCE);
  lost.close();
  const log = await request(api.url)
    .get('/v1/events/log?limit=2')
    .set('authorization', `Bearer ${api.key}`)
    .expect(200);
  expect(log.body.items).toHaveLength(2);
  expect(log.body.nextCursor).toBe(log.body.items[1].id);
});

it('lists the past of some kinds page by page, however much else has happened since', async () => {
  const ask = async (query: string) =>
    (await request(api.url).get(`/v1/events/log?${query}`).set('authorization', `Bearer ${api.key}`).expect(200)).body;
  const label = (labels: string[]) =>
    request(api.url)
      .patch(`/v1/torrents/${torrentFile('One').infoHash}`)
      .set('authorization', `Bearer ${api.key}`)
      .send({ labels });
  for (const name of ['a', 'b', 'c']) await label([name]).expect(200);
  const kinds: string[] = [];
  for (let cursor = ''; ;) {
    const page = await ask(`kind=torrent.add&kind=node.*&limit=2${cursor}`);
    kinds.push(...page.items.map(({ kind }: { kind: string }) => kind));
    if (page.nextCursor === null) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  expect(kinds.filter((kind) => kind === 'torrent.add').length).toBeGreaterThanOrEqual(5);
  expect(kinds.every((kind) => kind === 'torrent.add' || kind.startsWith('node.'))).toBe(true);
  expect((await ask('kind=chain.nothing')).items).toEqual([]);
});

it('tells of a row that became visible after a later one', async () => {
  const client = follow();
  await vi.waitFor(() => expect(client.status()).toBe(200), PATIENCE);
  const entry = (target: string) => ({ actor: 'service', action: 'late.row', target });
  await api.admin.$transaction(
    async (tx) => {
      await tx.auditEntry.create({ data: entry('earlier id') });
      await api.own.auditEntry.create({ data: entry('later id') });
      await vi.waitFor(() => expect(client.events.map(({ subject }) => subject)).toContain('later id'), PATIENCE);
    },
    { timeout: 60_000 },
  );
  await vi.waitFor(() => expect(client.events.map(({ subject }) => subject)).toContain('earlier id'), PATIENCE);
  client.close();
});

it('refuses what it does not understand, and whoever may not look', async () => {
  const ask = (query: string, key = api.key) =>
    request(api.url).get(`/v1/events${query}`).set('authorization', `Bearer ${key}`);
  await ask('?kind=nonsense').expect(400);
  await ask('?x=1').expect(400);
  await ask('').set('last-event-id', 'x').expect(400);
  await ask('', await api.newKey(['operate'])).expect(403);
});
