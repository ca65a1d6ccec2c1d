import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { channelDetailSchema, channelPage } from '../channels/channel.schemas.js';
import { fleetSchema } from '../overview/fleet.schemas.js';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile } from '../testing/torrent-file.js';
import { revenueSchema, torrentRevenueSchema } from './revenue.schemas.js';

let api: RunningMarketApi;
const sintel = torrentFile('sintel', { pieceLength: 131_072, pieceCount: 987 });
const other = 'b'.repeat(40);
const sold = randomUUID();

const get = (path: string) => request(api.url).get(path).set('authorization', `Bearer ${api.key}`);

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const added = { metainfo: sintel.base64, contentPath: '/srv/sintel' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(added).expect(201);
  const { infoHash } = sintel;
  const settlementTxid = 'c'.repeat(64);
  await storeChannels(api.admin, [
    channelRow({
      id: sold,
      infoHash,
      state: 'buried',
      k: 987n,
      frozenK: 987n,
      settlementTxid,
      settlementConfirmations: 6,
    }),
    channelRow({ infoHash, state: 'settled', k: 500n, frozenK: 500n, settlementTxid: 'd'.repeat(64) }),
    channelRow({ infoHash, state: 'settling', k: 200n, frozenK: 200n, settlementTxid: 'e'.repeat(64) }),
    channelRow({ infoHash, state: 'funded', k: 143n }),
    channelRow({ infoHash, state: 'funded', k: 142n }),
    channelRow({ infoHash, state: 'returned', k: 100n, frozenK: 100n }),
    channelRow({ infoHash, state: 'refund-seen', k: 300n }),
    channelRow({ infoHash, state: 'joined' }),
    channelRow({ infoHash: other, state: 'buried', k: 500n, frozenK: 500n }),
  ]);
  await api.admin.$queryRaw`SELECT channel.roll_up_books(100000)`;
});
afterAll(() => api.stop());

describe('revenue', () => {
  // P = 7, F = 450; the first collectable payment is k = 143.
  const figures = {
    sales: 7,
    piecesPaid: 987 + 500 + 200 + 143 + 142 + 100 + 300,
    revenueSat: String(7 * (987 + 500 + 200 + 143 + 142 + 100 + 300)),
    collectedSat: '6459',
    settledSat: String(7 * 500 - 450),
    broadcastSat: String(7 * 200 - 450),
    feesSat: '900',
    // Of the refund that was seen nobody knows yet whether it comes first.
    collectableSat: String(7 * 143 - 450 + 7 * 300 - 450),
    expectedFeesSat: '1350',
    uncollectableSat: String(7 * 142),
    lostSat: '700',
    atRiskSat: '2100',
  };

  it('is told per torrent, to the satoshi', async () => {
    const page = expectShape(revenueSchema, (await get('/v1/revenue').expect(200)).body);
    const byHash = new Map(page.items.map((item) => [item.infoHash, item]));
    expect(byHash.get(sintel.infoHash)).toEqual({ infoHash: sintel.infoHash, name: 'sintel', ...figures });
    expect(byHash.get(other)).toMatchObject({ name: null, revenueSat: '3500', collectedSat: '3050' });
    expect(page.totals).toMatchObject({ sales: 8, collectedSat: String(6459 + 3050) });
    const one = await get(`/v1/revenue/${sintel.infoHash}`).expect(200);
    expect(expectShape(torrentRevenueSchema, one.body)).toMatchObject(figures);
    const filtered = await get(`/v1/revenue?infoHash=${other}`).expect(200);
    expect(filtered.body.items).toHaveLength(1);
  });

  it('is paged by infohash', async () => {
    const first = (await get('/v1/revenue?limit=1').expect(200)).body;
    expect(first.items).toHaveLength(1);
    const second = (await get(`/v1/revenue?limit=1&cursor=${first.nextCursor}`).expect(200)).body;
    expect([...first.items, ...second.items].map(({ infoHash }) => infoHash)).toEqual([other, sintel.infoHash].sort());
    expect(second.nextCursor).toBeNull();
  });

  it('of a torrent that sold nothing is zero, and of an unknown one a refusal', async () => {
    const file = torrentFile('unsold');
    const body = { metainfo: file.base64, contentPath: '/srv/unsold' };
    await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
    expect((await get(`/v1/revenue/${file.infoHash}`).expect(200)).body).toMatchObject({ revenueSat: '0', sales: 0 });
    expect((await get(`/v1/revenue/${'9'.repeat(40)}`).expect(404)).body.code).toBe('torrent-not-found');
  });
});

describe('channels', () => {
  it('are listed by state and torrent, and paged without gaps', async () => {
    const buried = expectShape(channelPage, (await get('/v1/channels?state=buried').expect(200)).body);
    expect(buried.items).toHaveLength(2);
    const some = await get(`/v1/channels?state=buried&state=settled&infoHash=${sintel.infoHash}`).expect(200);
    expect(some.body.items).toHaveLength(2);
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page = expectShape(channelPage, (await get(`/v1/channels?limit=2${next}`).expect(200)).body);
      for (const { id } of page.items) seen.add(id);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.size).toBe(9);
  });

  it('tell their story, and neither keys nor signatures', async () => {
    const { body } = await get(`/v1/channels/${sold}`).expect(200);
    const channel = expectShape(channelDetailSchema, body);
    expect(channel).toMatchObject({ torrentName: 'sintel', k: 987, paidSat: '6909', netSat: '6459', state: 'buried' });
    expect(channel.story.map(({ state }) => state)).toEqual(['joined', 'funding-seen', 'funded']);
    expect(JSON.stringify(body)).not.toMatch(/publicKey|signature|raw/i);
  });

  it.each(['/v1/channels/nonsense', '/v1/channels?state=asleep', '/v1/channels?infoHash=1', '/v1/channels?foo=1'])(
    'refuse %s',
    async (path) => {
      expect((await get(path).expect(400)).body.code).toBe('validation-failed');
    },
  );

  it('that nobody opened are not found', async () => {
    expect((await get(`/v1/channels/${randomUUID()}`).expect(404)).body.code).toBe('channel-not-found');
  });
});

it('the fleet says what it does now', async () => {
  await api.admin.chainBlock.create({
    data: { height: 101, hash: 'f'.repeat(64), previousHash: '0'.repeat(64), medianTimePast: 1_700_000_000 },
  });
  const fleet = expectShape(fleetSchema, (await get('/v1/fleet').expect(200)).body);
  expect(fleet).toMatchObject({
    network: 'regtest',
    nodes: { up: 0, draining: 0, silent: 0 },
    torrents: { active: 2 },
    channels: { buried: 2, funded: 2, joined: 1 },
    chain: { height: 101 },
  });
  expect(fleet.activity[0]).toMatchObject({ state: 'funded', infoHash: other });
});
