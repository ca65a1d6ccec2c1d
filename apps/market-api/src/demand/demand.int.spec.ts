import { randomUUID } from 'node:crypto';
import { demandReport, nodeRegister, type Bus } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';

let api: RunningMarketApi;
let bus: Bus;
const film = torrentFile('film', { pieceLength: 131_072, pieceCount: 987 });
const run = randomUUID();
const nothing = {
  buyers: 0,
  buyersBelowPrice: 0,
  bidsUncounted: 0,
  speedTestsAnswered: 0,
  speedTestsRefused: 0,
  lostAfterSpeedTest: 0,
  joinsRefused: 0,
  joined: 0,
  won: 0,
  lostAfterJoin: 0,
  sentBytes: 0,
  sentMs: 0,
  bids: [],
};
const get = async (path: string) =>
  (await request(api.url).get(path).set('authorization', `Bearer ${api.key}`).expect(200)).body;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  bus = await api.busOf('swarm-node');
  const body = { metainfo: film.base64, contentPath: '/srv/film' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
  await bus.request(nodeRegister, { nodeId: 'node-1', peerAddress: '127.0.0.1:7881', version: '0' });
});
afterAll(() => api.stop());

it('adds up what nodes saw, each report once, and only of torrents and nodes that are known', async () => {
  const { infoHash } = film;
  const seen = { ...nothing, infoHash, buyers: 20, speedTestsAnswered: 20, lostAfterSpeedTest: 12, joined: 8, won: 5 };
  const bids = [
    { priceSat: 7n, count: 15 },
    { priceSat: 40n, count: 5 },
  ];
  const first = { nodeId: 'node-1', run, seq: 1, torrents: [{ ...seen, sentBytes: 3_000_000, sentMs: 2_000, bids }] };
  for (const report of [first, first, { ...first, nodeId: 'node-9' }]) {
    expect((await bus.request(demandReport, report)).ok).toBe(true);
  }
  const stranger = { ...nothing, infoHash: 'f'.repeat(40), buyers: 7 };
  await bus.request(demandReport, { ...first, seq: 2, torrents: [stranger, { ...nothing, infoHash, buyers: 1 }] });
  const demand = await get(`/v1/torrents/${infoHash}/demand`);
  expect(demand).toMatchObject({
    counters: { buyers: 21, speedTestsAnswered: 20, lostAfterSpeedTest: 12, joined: 8, won: 5 },
    bids: [
      { priceSat: '40', buyers: 5, accepting: 5 },
      { priceSat: '7', buyers: 15, accepting: 20 },
    ],
  });
  expect(await api.admin.demandDay.count()).toBe(1);
  const shown = await get(`/v1/market/torrents/${infoHash}`);
  expect(shown.bytesPerSecond).toBe(1_500_000);
});

it('advises on a price, with its reasons and what it would bring', async () => {
  const advice = await get(`/v1/torrents/${film.infoHash}/advice`);
  expect(advice).toMatchObject({
    current: { priceSat: '7' },
    suggested: { priceSat: '40', economics: { acceptedByDefaultBuyers: false } },
    reasons: ['best-for-bids', 'loses-speed-tests'],
    bids: 20,
    acceptedBids: 5,
    acceptedNow: 20,
    expectedNetSat: String(5 * (987 * 40 - 434 - 148)),
    expectedNetNowSat: String(20 * (987 * 7 - 434 - 148)),
  });
});
