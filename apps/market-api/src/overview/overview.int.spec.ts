import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';

/** What the dashboard's first pages show, added up by hand. */

let api: RunningMarketApi;
const files = ['Alpha', 'Beta', 'Gamma'].map((name) => torrentFile(name));
const [alpha, beta, gamma] = files.map(({ infoHash }) => infoHash) as [string, string, string];
const get = async (path: string) =>
  (await request(api.url).get(path).set('authorization', `Bearer ${api.key}`).expect(200)).body;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  for (const { base64 } of files) {
    const body = { metainfo: base64, contentPath: '/srv/x' };
    await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
  }
  // P 7, F 450: 987 paid make 6909, of which 6459 are ours.
  await storeChannels(api.admin, [
    channelRow({
      infoHash: alpha,
      state: 'buried',
      k: 987n,
      frozenK: 987n,
      settlementTxid: 'a'.repeat(64),
      updatedAt: new Date(0),
    }),
    channelRow({ infoHash: beta, state: 'funded', k: 200n, deadlineMtp: 1_900_000_000 }),
    channelRow({ infoHash: beta, state: 'funded', k: 300n, deadlineMtp: 1_800_000_000 }),
    channelRow({ infoHash: gamma, state: 'joined', k: 0n, nextActionAt: new Date(Date.now() + 3_600_000) }),
  ]);
  await api.admin.$queryRaw`SELECT channel.roll_up_books(1000)`;
});
afterAll(() => api.stop());

it('books each hour and day, and in total', async () => {
  for (const [period, count] of [
    ['hour', 24],
    ['day', 7],
  ] as const) {
    const { items, total } = await get(`/v1/overview/series?period=${period}&count=${count}`);
    expect(items).toHaveLength(count);
    const sum = (name: string) =>
      items.reduce((all: bigint, item: Record<string, string>) => all + BigInt(item[name] ?? 0), 0n);
    expect(sum('revenueSat')).toBe(987n * 7n + 500n * 7n);
    expect(sum('buriedSat')).toBe(6_459n);
    expect(total).toMatchObject({ revenueSat: '10409', buriedSat: '6459', channels: 3, pieces: 1_487 });
  }
  const { total } = await get(`/v1/overview/series?infoHash=${beta}`);
  expect(total).toMatchObject({ revenueSat: '3500', buriedSat: '0', channels: 2 });
});

it('orders open channels by deadline and by exposure', async () => {
  const byDeadline = await get('/v1/channels?sort=deadline&limit=2');
  expect(byDeadline.items.map(({ k }: { k: number }) => k)).toEqual([300, 200]);
  const rest = await get(`/v1/channels?sort=deadline&limit=2&cursor=${byDeadline.nextCursor}`);
  expect(rest).toMatchObject({ items: [{ state: 'joined' }], nextCursor: null });
  const byExposure = await get('/v1/channels?sort=exposure');
  expect(byExposure.items.map(({ k }: { k: number }) => k)).toEqual([300, 200, 0]);
  const found = await get(`/v1/channels?sort=exposure&state=buried&infoHash=${alpha}`);
  expect(found.items).toHaveLength(1);
});

it('says what needs attention, worst first, and no more when it is over', async () => {
  // The settlement above was never handed to a chain: the books are ahead of it.
  const codes = async () => (await get('/v1/alerts')).items.map(({ code }: { code: string }) => code);
  expect(await codes()).toEqual(['books-differ']);
  const lost = randomUUID();
  await storeChannels(api.admin, [
    channelRow({ id: lost, infoHash: gamma, state: 'settle-rejected', k: 500n, frozenK: 500n }),
    channelRow({ infoHash: gamma, state: 'joined', nextActionAt: new Date(Date.now() - 600_000) }),
  ]);
  await api.admin.quarantinedNode.create({ data: { nodeId: 'node-7', reason: 'false-payments' } });
  const past = new Date(Date.now() - 60_000);
  await api.admin.node.create({ data: { id: 'node-8', peerAddress: '10.0.0.8:7881', version: '1', lastSeenAt: past } });
  await api.admin.chainBlock.create({
    data: { height: 1, hash: 'b'.repeat(64), previousHash: 'a'.repeat(64), medianTimePast: 1_850_000_000 },
  });
  await vi.waitFor(
    async () =>
      expect(await codes()).toEqual([
        'books-differ',
        'settlements-refused',
        'deadlines-passed',
        'node-quarantined',
        'channels-overdue',
        'node-silent',
      ]),
    { timeout: 30_000, interval: 500 },
  );
  await api.admin.quarantinedNode.deleteMany();
  await vi.waitFor(async () => expect(await codes()).not.toContain('node-quarantined'), {
    timeout: 30_000,
    interval: 500,
  });
});
