import { offersChanged } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile } from '../testing/torrent-file.js';
import { bulkEditSchema } from './bulk-edit.schemas.js';

let api: RunningMarketApi;
const MIB = 1 << 20;
const films = ['one', 'two', 'three'].map((name, place) =>
  torrentFile(name, { pieceLength: MIB, pieceCount: 2_000 + place }),
);
const album = torrentFile('album.flac', { pieceLength: MIB / 2, pieceCount: 800 });

const http = (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string) =>
  request(api.url)[method](path).set('authorization', `Bearer ${api.key}`);
const bulk = (body: object) => http('post', '/v1/offers/bulk').send(body);
const offer = async (infoHash: string) => (await http('get', `/v1/torrents/${infoHash}/offer`).expect(200)).body;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  for (const { base64 } of films) {
    await http('post', '/v1/torrents')
      .send({ metainfo: base64, contentPath: '/srv/f', labels: ['films'] })
      .expect(201);
  }
});
afterAll(() => api.stop());

describe('an edit of many torrents', () => {
  const body = { select: { label: 'films' }, change: { price: { mode: 'mib', rate: '2.5' } } };

  it('says beforehand what it comes to, per torrent, and changes nothing', async () => {
    const answer = expectShape(bulkEditSchema, (await bulk({ ...body, dryRun: true }).expect(200)).body);
    expect(answer).toMatchObject({ dryRun: true, matched: 3, changed: 3, declined: 0, refusedByDefaultBuyers: 0 });
    expect(answer.items[0]).toMatchObject({
      before: { version: 0 },
      after: {
        version: 1,
        priceSat: '3',
        satPerMib: '3.000',
        price: { mode: 'mib', rate: '2.5' },
        economics: { settlementFeeSat: '434', sweepCostSat: '148', kMin: 327, acceptedByDefaultBuyers: true },
      },
      changed: true,
    });
    const hashes = films.map(({ infoHash }) => infoHash).sort();
    expect(answer.items.map(({ infoHash }) => infoHash)).toEqual(hashes);
    const first = (await bulk({ ...body, dryRun: true, limit: 2 }).expect(200)).body;
    const rest = (await bulk({ ...body, dryRun: true, limit: 2, cursor: first.nextCursor }).expect(200)).body;
    expect([...first.items, ...rest.items].map(({ infoHash }) => infoHash)).toEqual(hashes);
    expect(rest.nextCursor).toBeNull();
    expect(await api.admin.offer.count()).toBe(0);
  });

  it('changes all, keeps what it does not name, tells nodes, and does nothing the second time', async () => {
    const lock = await http('put', `/v1/torrents/${films[0]?.infoHash}/offer`).send({ priceSat: '9', lockUnits: 30 });
    expect(lock.status).toBe(200);
    const nodes = await api.busOf('swarm-node');
    const told = new Map<string, bigint>();
    nodes.subscribe(offersChanged, [], ({ torrents }) => {
      for (const { infoHash, offer: terms } of torrents) told.set(infoHash, terms.priceSat);
    });
    await nodes.connection.flush();
    const answer = (await bulk({ ...body, dryRun: false }).expect(200)).body;
    expect(answer).toMatchObject({ dryRun: false, matched: 3, changed: 3 });
    expect((await offer(films[0]!.infoHash)).set).toMatchObject({ version: 2, priceSat: '3', lockUnits: 30 });
    expect((await offer(films[1]!.infoHash)).set).toMatchObject({ version: 1, priceSat: '3', lockUnits: null });
    await vi.waitFor(() => expect([...told.values()]).toEqual([3n, 3n, 3n]), { timeout: 10_000 });
    const again = (await bulk({ ...body, dryRun: false }).expect(200)).body;
    expect(again).toMatchObject({ matched: 3, changed: 0 });
    const audit = await api.admin.auditEntry.findMany({ where: { action: 'offer.bulk' } });
    expect(audit.map(({ data }) => data)).toMatchObject([{ select: { label: 'films' }, changed: 3 }]);
  });

  it('changes none where one cannot be', async () => {
    const before = await api.admin.offer.count();
    const refused = await bulk({ select: { all: true }, change: { priceSat: '2000000000000' }, dryRun: false });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ code: 'offer-invalid', infoHash: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(await api.admin.offer.count()).toBe(before);
  });

  it.each([
    [{ select: {}, change: { priceSat: '1' }, dryRun: true }, 'select'],
    [{ select: { all: true }, change: {}, dryRun: true }, 'change'],
    [{ select: { all: true }, change: { priceSat: '1' } }, 'dryRun'],
    [{ select: { all: false }, change: { priceSat: '1' }, dryRun: true }, 'select.all'],
    [{ select: { all: true }, change: { priceSat: '1', reprice: true }, dryRun: true }, 'change.price'],
    [{ select: { infoHashes: ['x'] }, change: { priceSat: '1' }, dryRun: true }, 'select.infoHashes.0'],
    [{ select: { all: true }, change: { priceSat: '1' }, dryRun: true, now: true }, ''],
  ])('refuses %j', async (wrong, path) => {
    const answer = await bulk(wrong).expect(400);
    expect(answer.body).toMatchObject({ code: 'validation-failed', errors: [{ path }] });
  });

  it('needs the scope for money', async () => {
    const operator = await api.newKey(['read', 'operate']);
    const asked = request(api.url).post('/v1/offers/bulk').set('authorization', `Bearer ${operator}`);
    expect((await asked.send({ ...body, dryRun: true }).expect(403)).body.scope).toBe('money');
  });
});

describe('quality tiers', () => {
  it('make prices by rule dearer, from the moment a torrent is graded', async () => {
    const added = { metainfo: album.base64, contentPath: '/srv/album', labels: ['music'], tier: 'lossless' };
    const torrent = (await http('post', '/v1/torrents').send(added).expect(201)).body;
    expect(torrent).toMatchObject({ tier: 'lossless', offer: { version: 1 } });
    const { set, economics } = await offer(album.infoHash);
    expect(set.price).toEqual({ mode: 'formula', rate: '2', tier: 'lossless', multiplier: '2' });
    expect(BigInt(set.priceSat)).toBe(2n * BigInt(economics.defaultPriceSat));
    await http('put', `/v1/torrents/${album.infoHash}/offer`)
      .send({ price: { mode: 'mib', rate: '8' } })
      .expect(200);
    expect((await offer(album.infoHash)).set.priceSat).toBe('8');
    const graded = await http('patch', `/v1/torrents/${album.infoHash}`).send({ tier: 'standard' }).expect(200);
    expect(graded.body).toMatchObject({ tier: 'standard', offer: { version: 3, priceSat: '4' } });
    expect((await http('get', '/v1/torrents?tier=lossless').expect(200)).body.items).toEqual([]);
  });

  it('leave an exact price alone', async () => {
    await http('put', `/v1/torrents/${album.infoHash}/offer`).send({ priceSat: '5' }).expect(200);
    const graded = await http('patch', `/v1/torrents/${album.infoHash}`).send({ tier: 'high' }).expect(200);
    expect(graded.body.offer).toMatchObject({ version: 4, priceSat: '5' });
  });

  it('are the operator’s to define, and reprice what is in them when asked', async () => {
    await http('put', `/v1/torrents/${album.infoHash}/offer`)
      .send({ price: { mode: 'mib', rate: '8' } })
      .expect(200);
    const set = await http('put', '/v1/tiers/high').send({ multiplier: '2.25', description: 'better' }).expect(200);
    // What is not said of it stays: a new multiplier is no reason to forget what the tier means.
    const again = await http('put', '/v1/tiers/high').send({ multiplier: '2.25' }).expect(200);
    expect(again.body.description).toBe('better');
    expect(set.body).toMatchObject({ name: 'high', multiplier: '2.25', torrents: 1 });
    expect((await offer(album.infoHash)).set.priceSat).toBe('6');
    await bulk({ select: { tier: 'high' }, change: { reprice: true }, dryRun: false }).expect(200);
    expect((await offer(album.infoHash)).set).toMatchObject({ priceSat: '9', price: { multiplier: '2.25' } });
    expect((await http('delete', '/v1/tiers/high').expect(409)).body.code).toBe('tier-in-use');
    expect((await http('delete', '/v1/tiers/standard').expect(409)).body.code).toBe('tier-in-use');
    expect((await http('delete', '/v1/tiers/none').expect(404)).body.code).toBe('tier-not-found');
    await http('put', '/v1/tiers/rare').send({ multiplier: '10' }).expect(200);
    await http('delete', '/v1/tiers/rare').expect(204);
    const names = (await http('get', '/v1/tiers').expect(200)).body.items.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['standard', 'lossless', 'high']);
  });

  it('are refused where they do not exist, and to keys that may not set prices', async () => {
    const path = `/v1/torrents/${album.infoHash}`;
    expect((await http('patch', path).send({ tier: 'none' }).expect(422)).body.code).toBe('tier-not-found');
    const operator = await api.newKey(['read', 'operate']);
    const asked = request(api.url).patch(path).set('authorization', `Bearer ${operator}`).send({ tier: 'lossless' });
    expect((await asked.expect(403)).body.scope).toBe('money');
  });
});
