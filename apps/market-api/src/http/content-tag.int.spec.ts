import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';

let api: RunningMarketApi;
const file = torrentFile('tagged');

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  await post('/v1/torrents', { metainfo: file.base64, contentPath: '/srv/x', labels: ['l'] }).expect(201);
});
afterAll(() => api.stop());

const as = () => ({ authorization: `Bearer ${api.key}` });
const post = (path: string, body: object, headers = {}) =>
  request(api.url)
    .post(path)
    .set({ ...as(), ...headers })
    .send(body);
const put = (path: string, body: object, headers = {}) =>
  request(api.url)
    .put(path)
    .set({ ...as(), ...headers })
    .send(body);
const tagAt = async (path: string): Promise<string> =>
  (await request(api.url).get(path).set(as()).expect(200)).headers['etag'] as string;

describe('a write with If-Match', () => {
  it.each([
    ['a tier', '/v1/tiers/high', '/v1/tiers/high', { multiplier: '1.7' }, { multiplier: '1.8' }],
    [
      'cost rates',
      '/v1/settings/cost-rates',
      '/v1/settings/cost-rates',
      { bandwidthSatPerGib: '5', diskSatPerGibMonth: '1' },
      { bandwidthSatPerGib: '6', diskSatPerGibMonth: '1' },
    ],
    [
      'replicas',
      `/v1/torrents/${file.infoHash}/placement`,
      `/v1/torrents/${file.infoHash}/replicas`,
      { replicas: 3 },
      { replicas: 4 },
    ],
  ])('replaces %s that was read, and nothing newer', async (_what, read, write, first, second) => {
    const tag = await tagAt(read);
    const done = await put(write, first, { 'if-match': tag }).expect(200);
    const newer = done.headers['etag'] as string;
    expect(newer).not.toBe(tag);
    expect(await tagAt(read)).toBe(newer);
    const late = await put(write, second, { 'if-match': tag });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition-failed', etag: newer } });
    expect(await tagAt(read)).toBe(newer);
    await put(write, second, { 'if-match': `"c.other", ${newer}` }).expect(200);
    await put(write, first, { 'if-match': '*' }).expect(200);
  });

  it('removes only the tier that was read', async () => {
    const tag = (await put('/v1/tiers/rare', { multiplier: '3' }).expect(200)).headers['etag'] as string;
    await put('/v1/tiers/rare', { multiplier: '4' }).expect(200);
    const remove = () => request(api.url).delete('/v1/tiers/rare').set(as());
    await remove().set('if-match', tag).expect(412);
    await remove()
      .set('if-match', await tagAt('/v1/tiers/rare'))
      .expect(204);
  });

  it('changes the offers that were rehearsed, or none', async () => {
    const edit = { select: { label: 'l' }, change: { priceSat: '9' } };
    const rehearse = async () =>
      (await post('/v1/offers/bulk', { ...edit, dryRun: true }).expect(200)).headers['etag'] as string;
    const tag = await rehearse();
    expect(await rehearse()).toBe(tag);
    const other = torrentFile('came later');
    await post('/v1/torrents', { metainfo: other.base64, contentPath: '/srv/y', labels: ['l'] }).expect(201);
    const late = await post('/v1/offers/bulk', { ...edit, dryRun: false }, { 'if-match': tag });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition-failed' } });
    expect(await api.own.offer.count()).toBe(0);
    const now = await rehearse();
    const changed = { ...edit, change: { priceSat: '10' }, dryRun: false };
    await post('/v1/offers/bulk', changed, { 'if-match': now }).expect(412);
    await post('/v1/offers/bulk', { ...edit, dryRun: false }, { 'if-match': now }).expect(200);
    expect(await api.own.offer.count()).toBe(2);
    await post('/v1/offers/bulk', { ...edit, dryRun: false }, { 'if-match': now }).expect(412);
  });
});
