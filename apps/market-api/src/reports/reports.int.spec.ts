import { randomUUID } from 'node:crypto';
import { BOOKED_FIGURES } from '@seedfleet/books';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile } from '../testing/torrent-file.js';
import {
  channelBooks,
  dayReport,
  explanation,
  labelReport,
  nodeReport,
  torrentReport,
  totalReport,
  type Explanation,
} from './report.schemas.js';
import { TorrentRanking } from './torrent-ranking.js';

let api: RunningMarketApi;
// P 7, F 450: the first collectable payment is the 143rd.
const film = torrentFile('=film, "the"', { pieceLength: 1 << 20, pieceCount: 2_000 });
const song = torrentFile('song', { pieceLength: 1 << 20, pieceCount: 2_000 });
const buried = randomUUID();
const running = randomUUID();

const get = (path: string) => request(api.url).get(path).set('authorization', `Bearer ${api.key}`);
const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const add = (metainfo: string, labels: string[]) =>
    request(api.url)
      .post('/v1/torrents')
      .set('authorization', `Bearer ${api.key}`)
      .send({ metainfo, contentPath: '/srv/x', labels })
      .expect(201);
  await add(film.base64, ['films', 'all']);
  await add(song.base64, ['all']);
  const { infoHash } = film;
  const settled = { frozenK: 900n, k: 900n, settlementTxid: 'd'.repeat(64) };
  await storeChannels(api.admin, [
    channelRow({ id: buried, infoHash, state: 'buried', ...settled, settlementTxid: 'c'.repeat(64) }),
    channelRow({ infoHash, state: 'settled', ...settled, nodeId: 'node-2', peerSubnet: '10.0.0.0/24' }),
    channelRow({ infoHash, state: 'funded', k: 200n }),
    channelRow({ id: running, infoHash, state: 'funded', k: 60n }),
    channelRow({ infoHash, state: 'lost', k: 300n, frozenK: 300n }),
    channelRow({ infoHash: song.infoHash, state: 'returned', k: 50n, frozenK: 50n }),
    channelRow({ infoHash: song.infoHash, state: 'joined' }),
  ]);
  await api.admin.$queryRaw`SELECT channel.roll_up_books(100)`;
  await api.app.get(TorrentRanking).refresh();
  // What waits to be rolled up counts like the rest.
  await api.admin.channel.update({ where: { id: running }, data: { k: 100n } });
});
afterAll(() => api.stop());

const filmFigures = {
  channels: 5,
  pieces: 2_400,
  revenueSat: String(7 * 2_400),
  accruedSat: '700',
  collectableSat: '950',
  feesReservedSat: '450',
  broadcastSat: '0',
  settledSat: '5850',
  buriedSat: '5850',
  feesSat: '900',
  uncollectableSat: '0',
  lostSat: '2100',
  sweptSat: '0',
  restatedSat: '0',
};

describe('reports', () => {
  it('say per torrent, to the satoshi, what became of every payment', async () => {
    const { items } = expectShape(torrentReport, (await get('/v1/reports/torrents?sparkDays=3').expect(200)).body);
    expect(items.map(({ infoHash }) => infoHash)).toEqual([film.infoHash, song.infoHash]);
    expect(items[0]).toMatchObject({ name: '=film, "the"', ...filmFigures });
    expect(items[1]).toMatchObject({ name: 'song', revenueSat: '350', uncollectableSat: '350', channels: 1 });
    expect(items[0]?.revenueByDay).toHaveLength(3);
    const total = expectShape(totalReport, (await get('/v1/reports/total').expect(200)).body);
    expect(total).toMatchObject({ revenueSat: String(7 * 2_450), channels: 6, buriedSat: '5850' });
  });

  it('agree by torrent, node, buyer, label and day', async () => {
    const sum = (rows: readonly { revenueSat: string }[]) =>
      rows.reduce((total, { revenueSat }) => total + BigInt(revenueSat), 0n);
    const nodes = expectShape(nodeReport, (await get('/v1/reports/nodes').expect(200)).body).items;
    const buyers = (await get('/v1/reports/buyers').expect(200)).body.items;
    const days = expectShape(dayReport, (await get('/v1/reports/days').expect(200)).body).items;
    const labels = expectShape(labelReport, (await get('/v1/reports/labels').expect(200)).body).items;
    for (const rows of [nodes, buyers, days]) expect(sum(rows)).toBe(7n * 2_450n);
    expect(nodes.find(({ nodeId }) => nodeId === 'node-2')).toMatchObject({ settledSat: '5850' });
    expect(buyers.map(({ buyer }: { buyer: string }) => buyer)).toEqual(['10.0.0.0/24', '127.0.0.0/24']);
    expect(labels).toMatchObject([
      { label: 'all', torrents: 2, revenueSat: String(7 * 2_450) },
      { label: 'films', torrents: 1, ...filmFigures },
    ]);
    const ofFilm = (await get(`/v1/reports/days?infoHash=${film.infoHash}`).expect(200)).body.items;
    expect(ofFilm).toMatchObject([{ day: day(0), ...filmFigures }]);
  });

  it('are cut to a period, and sorted in it', async () => {
    const today = (await get(`/v1/reports/torrents?from=${day(0)}&to=${day(0)}&sort=lost`).expect(200)).body.items;
    expect(today[0]).toMatchObject({ infoHash: film.infoHash, ...filmFigures });
    const before = (await get(`/v1/reports/total?to=${day(-1)}`).expect(200)).body;
    expect(before).toMatchObject({ revenueSat: '0', channels: 0 });
    expect((await get(`/v1/reports/torrents?to=${day(-1)}`).expect(200)).body.items).toEqual([]);
  });

  it('are searched, filtered and paged', async () => {
    const names = async (query: string) =>
      (await get(`/v1/reports/torrents?${query}`).expect(200)).body.items.map(({ name }: { name: string }) => name);
    expect(await names('search=son')).toEqual(['song']);
    expect(await names('label=films')).toEqual(['=film, "the"']);
    expect(await names(`infoHash=${song.infoHash}`)).toEqual(['song']);
    const first = (await get('/v1/reports/torrents?limit=1').expect(200)).body;
    expect(first.items).toHaveLength(1);
    expect(await names(`limit=1&cursor=${first.nextCursor}`)).toEqual(['song']);
    const wrong = await get(`/v1/reports/torrents?sort=lost&cursor=${first.nextCursor}`).expect(400);
    expect(wrong.body.errors[0].path).toBe('cursor');
    const node = (await get('/v1/reports/nodes?limit=1').expect(200)).body;
    expect((await get(`/v1/reports/nodes?cursor=${node.nextCursor}`).expect(200)).body.items).toHaveLength(1);
  });

  it('take off what serving cost, at the operator’s rates', async () => {
    const rates = { bandwidthSatPerGib: '0.5', diskSatPerGibMonth: '0' };
    const set = request(api.url).put('/v1/settings/cost-rates').set('authorization', `Bearer ${api.key}`);
    await set.send(rates).expect(200);
    expect((await get('/v1/settings/cost-rates').expect(200)).body).toEqual(rates);
    const { items } = (await get(`/v1/reports/torrents?infoHash=${film.infoHash}`).expect(200)).body;
    // 2,400 MiB are 2.34 GiB: 1.17 sat, rounded up.
    expect(items[0].profit).toEqual({
      soldBytes: String(2_400 * 2 ** 20),
      bandwidthCostSat: '2',
      diskCostSat: '0',
      profitSat: String(5850 * 2 - 2),
    });
  });

  it.each([
    'torrents?from=2026-02-30',
    'torrents?from=yesterday',
    'torrents?sort=luck',
    'torrents?sparkDays=91',
    'days?infoHash=x',
    `days?infoHash=${film.infoHash}&nodeId=node-1`,
    'explain',
    'explain?figure=pieces',
    'export?of=secrets',
    'export?of=days&format=xml',
    'nodes?what=1',
  ])('refuse %s', async (query) => {
    expect((await get(`/v1/reports/${query}`).expect(400)).body.code).toBe('validation-failed');
  });
});

describe('every figure', () => {
  it('opens to the channels behind it, which add up to it', async () => {
    const figures = BOOKED_FIGURES;
    const sums = { collectedSat: ['buriedSat', 'sweptSat'], onItsWaySat: ['broadcastSat', 'settledSat'] } as const;
    const expected: [string, string][] = [
      ...figures.map((figure): [string, string] => [figure, filmFigures[figure]]),
      ...Object.entries(sums).map(([figure, [one, other]]): [string, string] => [
        figure,
        String(BigInt(filmFigures[one]) + BigInt(filmFigures[other])),
      ]),
    ];
    for (const [figure, figureSat] of expected) {
      const path = `/v1/reports/explain?figure=${figure}&infoHash=${film.infoHash}&limit=2`;
      let sum = 0n;
      let total = '';
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body }: { body: unknown } = await get(cursor === '' ? path : `${path}&cursor=${cursor}`).expect(200);
        const page: Explanation = expectShape(explanation, body);
        for (const { amountSat } of page.items) sum += BigInt(amountSat);
        total = page.totalSat;
        cursor = page.nextCursor;
      }
      expect({ figure, sum: sum.toString() }).toEqual({ figure, sum: figureSat });
      expect(total).toBe(figureSat);
    }
    const lost = (await get('/v1/reports/explain?figure=buriedSat').expect(200)).body;
    expect(lost.items).toMatchObject([{ channelId: buried, amountSat: '5850', settlementTxid: 'c'.repeat(64) }]);
    const none = (await get(`/v1/reports/explain?figure=buriedSat&to=${day(-1)}`).expect(200)).body;
    expect(none).toMatchObject({ totalSat: '0', items: [] });
  });

  it('comes from postings that balance', async () => {
    const books = expectShape(channelBooks, (await get(`/v1/channels/${buried}/books`).expect(200)).body);
    expect(books.balances).toEqual({ buried: '5850', revenue: '-6300', 'settlement-fee': '450' });
    for (const { entries } of books.postings) {
      expect(Object.values(entries).reduce((sum, amount) => sum + BigInt(amount), 0n)).toBe(0n);
    }
    await get(`/v1/channels/${randomUUID()}/books`).expect(404);
  });
});

describe('an export', () => {
  it('has the figures of the report, as CSV that no spreadsheet takes for formulas', async () => {
    const answer = await get('/v1/reports/export?of=torrents').expect(200);
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringContaining('text/csv'),
      'content-disposition': 'attachment; filename="seedfleet-torrents.csv"',
    });
    const lines = answer.text.trim().split('\r\n');
    expect(lines[0]).toBe(['infoHash', 'name', ...Object.keys(filmFigures)].join(','));
    expect(lines.find((line) => line.startsWith(film.infoHash))).toBe(
      [film.infoHash, `"'=film, ""the"""`, ...Object.values(filmFigures)].join(','),
    );
  });

  it('of every kind is JSON too, and its rows add up', async () => {
    const read = async (of: string) => (await get(`/v1/reports/export?of=${of}&format=json`).expect(200)).body;
    expect(await read('nodes')).toHaveLength(2);
    expect(await read('buyers')).toHaveLength(2);
    expect(await read('labels')).toMatchObject([
      { label: 'all', torrents: 2, revenueSat: String(7 * 2_450) },
      { label: 'films', torrents: 1, ...filmFigures },
    ]);
    expect(await read('days')).toMatchObject([{ day: day(0), channels: 6 }]);
    expect(await read('channels')).toHaveLength(7);
    const postings: { account: string; amountSat: string }[] = await read('postings');
    expect(postings.reduce((sum, { amountSat }) => sum + BigInt(amountSat), 0n)).toBe(0n);
    const revenue = postings.filter(({ account }) => account === 'revenue');
    expect(revenue.reduce((sum, { amountSat }) => sum - BigInt(amountSat), 0n)).toBe(7n * 2_450n);
    const empty = await get(`/v1/reports/export?of=channels&format=json&to=${day(-1)}`).expect(200);
    expect(empty.body).toEqual([]);
  });
});

describe('what the treasury moves', () => {
  const SUMMED = [
    'accruedSat',
    'collectableSat',
    'feesReservedSat',
    'broadcastSat',
    'settledSat',
    'buriedSat',
    'feesSat',
  ];
  const allOf = (figures: Record<string, string>) =>
    [...SUMMED, 'uncollectableSat', 'lostSat', 'sweptSat'].reduce((sum, name) => sum + BigInt(figures[name] ?? ''), 0n);
  const move = async (txid: string, kind: string, inputSat: bigint, feeSat: bigint, channelId: string | null) => {
    await api.admin.$executeRaw`
      INSERT INTO channel.treasury_transaction
        (txid, kind, "channelId", raw, "inputSat", "feeSat", "virtualBytes", destination, reason, "madeAtHeight")
      VALUES (${txid}, ${kind}, ${channelId}::uuid, '\\x00', ${inputSat}, ${feeSat}, 200,
        ${kind === 'sweep' ? 'bcrt1q' : null}, 'test', 1)`;
    await api.admin.$executeRaw`UPDATE channel.treasury_transaction SET state = 'confirmed' WHERE txid = ${txid}`;
  };

  it('is collected once, less its fees, and every figure still adds up and opens', async () => {
    const before = (await get('/v1/reports/total').expect(200)).body;
    expect(allOf(before)).toBe(BigInt(before.revenueSat));
    await move('e'.repeat(64), 'child', 700n, 40n, buried);
    await move('f'.repeat(64), 'sweep', 5_000n, 300n, null);
    const total = (await get('/v1/reports/total').expect(200)).body;
    expect(total).toMatchObject({ revenueSat: before.revenueSat, sweptSat: '4700', buriedSat: '810', feesSat: '1240' });
    expect(BigInt(total.profit.profitSat)).toBe(BigInt(before.profit.profitSat) - 340n);
    const series = (await get('/v1/overview/series?period=day&count=1').expect(200)).body;
    const revenue = (await get('/v1/revenue').expect(200)).body;
    expect(revenue.totals.collectedSat).toBe('5510');
    const ofFilm = (await get(`/v1/reports/torrents?infoHash=${film.infoHash}&sparkDays=1`).expect(200)).body.items[0];
    expect(ofFilm).toMatchObject({ buriedSat: '5810', feesSat: '940', sweptSat: '0' });
    for (const figures of [total, series.total, ofFilm]) expect(allOf(figures)).toBe(BigInt(figures.revenueSat));
    for (const figure of ['buriedSat', 'feesSat', 'sweptSat', 'collectedSat', 'allFeesSat', 'revenueSat']) {
      for (const of of ['', `&infoHash=${film.infoHash}`, `&from=${day(-1)}`]) {
        const { items, totalSat, treasurySat } = expectShape(
          explanation,
          (await get(`/v1/reports/explain?figure=${figure}${of}`).expect(200)).body,
        );
        const sum = items.reduce((all, { amountSat }) => all + BigInt(amountSat), BigInt(treasurySat));
        expect({ figure, of, sum: sum.toString() }).toEqual({ figure, of, sum: totalSat });
      }
    }
  });
});
