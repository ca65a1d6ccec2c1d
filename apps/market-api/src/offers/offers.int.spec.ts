import { offersChanged } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { z } from 'zod';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile } from '../testing/torrent-file.js';
import { offerHistoryPage, offerSchema } from './offer.schemas.js';

let api: RunningMarketApi;
const file = torrentFile('sintel', { pieceLength: 131_072, pieceCount: 987 });
const path = `/v1/torrents/${file.infoHash}/offer`;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const body = { metainfo: file.base64, contentPath: '/srv/sintel' };
  await authorized(request(api.url).post('/v1/torrents')).send(body).expect(201);
});
afterAll(() => api.stop());

const authorized = (test: request.Test) => test.set('authorization', `Bearer ${api.key}`);
const put = (body: object) => authorized(request(api.url).put(path)).send(body);
const get = (what: string) => authorized(request(api.url).get(what));

describe('an offer', () => {
  it('is the default until somebody sets one', async () => {
    const offer = expectShape(offerSchema, (await get(path).expect(200)).body);
    expect(offer).toMatchObject({
      set: null,
      effective: { version: 0, priceSat: '7', satPerMib: '56.000', lockUnits: null, settlementFeeSat: null },
      economics: {
        totalSat: '6909',
        settlementFeeSat: '434',
        kMin: 141,
        defaultPriceSat: '7',
        acceptedByDefaultBuyers: true,
        declined: null,
        refusedNow: null,
      },
    });
  });

  it('is replaced as a whole, keeps its history, and is told to nodes', async () => {
    const nodes = await api.busOf('swarm-node');
    const told = new Promise<z.output<typeof offersChanged.payload>>((resolve) => {
      nodes.subscribe(offersChanged, [], resolve);
    });
    await nodes.connection.flush();
    const terms = {
      priceSat: '6',
      lockUnits: 25,
      settlementFeeSat: '500',
      minContractFeePerKbSat: '2000',
      maxSellers: 2,
      freeTier: { bytesPerDay: 1_000_000, bytesPerPeerDay: 65_536 },
    };
    const first = expectShape(offerSchema, (await put(terms).expect(200)).body);
    const { infoHash } = file;
    expect(await told).toMatchObject({
      torrents: [{ infoHash, version: 1, state: 'active', offer: { version: 1, priceSat: 6n, lockUnits: 25 } }],
    });
    expect(first).toMatchObject({
      set: { version: 1, ...terms },
      effective: { version: 1, ...terms },
      economics: { acceptedByDefaultBuyers: false, objections: ['lock-too-long', 'contract-fee-too-high'] },
    });
    expect((await put({ priceSat: '5' }).expect(200)).body.effective).toMatchObject({
      version: 2,
      priceSat: '5',
      lockUnits: null,
      settlementFeeSat: null,
      minContractFeePerKbSat: '1024',
      maxSellers: 5,
      freeTier: null,
    });

    const page = expectShape(offerHistoryPage, (await get(`${path}s?limit=1`).expect(200)).body);
    expect(page.items.map(({ version }) => version)).toEqual([2]);
    const rest = await get(`${path}s?limit=1&cursor=${page.nextCursor}`).expect(200);
    expect(rest.body).toMatchObject({
      items: [{ version: 1, createdBy: expect.stringMatching(/^key:/) }],
      nextCursor: null,
    });
    const audit = await api.admin.auditEntry.findMany({ where: { action: 'offer.set' } });
    expect(audit).toHaveLength(2);
  });

  it('can be tried without being set', async () => {
    const before = (await get(path).expect(200)).body;
    const dry = await authorized(request(api.url).put(`${path}?dryRun=true`)).send({
      price: { mode: 'formula', rate: '4' },
    });
    expect(expectShape(offerSchema, dry.body)).toMatchObject({
      set: { version: 3, priceSat: '7', price: { mode: 'formula', rate: '4', tier: 'standard', multiplier: '1' } },
      economics: { acceptedByDefaultBuyers: true, earnsNothingPerMille: 141, smallestSensiblePieces: 333 },
    });
    expect((await get(path).expect(200)).body).toEqual(before);
  });

  it('numbers edits made at the same time one after the other', async () => {
    const answers = await Promise.all(['8', '9', '10', '11'].map((priceSat) => put({ priceSat })));
    const versions = answers.map(({ body }) => body.effective.version as number).sort((a, b) => a - b);
    expect(versions).toEqual([3, 4, 5, 6]);
  });

  it('that can never pay for its settlement declines the sale and says why', async () => {
    const { body } = await put({ priceSat: '1' }).expect(200);
    expect(body.economics.declined).toMatch(/settling costs 347 sat of at most 987 sat/);
    const torrent = await get(`/v1/torrents/${file.infoHash}`).expect(200);
    expect(torrent.body.sale).toMatchObject({ state: 'declined', detail: body.economics.declined });
  });

  it.each([
    [{ priceSat: '0' }, 'priceSat'],
    [{ priceSat: 7 }, 'priceSat'],
    [{ priceSat: '7.5' }, 'priceSat'],
    [{ priceSat: '-1' }, 'priceSat'],
    [{ priceSat: '99999999999999999' }, 'priceSat'],
    [{ lockUnits: 0 }, 'lockUnits'],
    [{ lockUnits: 65_536 }, 'lockUnits'],
    [{ settlementFeeSat: '346' }, 'settlementFeeSat'],
    [{ maxSellers: 0 }, 'maxSellers'],
    [{ maxSellers: 2 ** 31 }, 'maxSellers'],
    [{ freeTier: { bytesPerDay: 9, bytesPerPeerDay: 0 } }, 'freeTier.bytesPerPeerDay'],
    [{ freeTier: { bytesPerDay: 9, bytesPerPeerDay: 10 } }, 'freeTier.bytesPerPeerDay'],
    [{ cost: '7' }, ''],
    [{ price: '7' }, 'price'],
    [{ price: { mode: 'mib', rate: '0' } }, 'price.rate'],
    [{ price: { mode: 'mib', rate: '1.2345' } }, 'price.rate'],
    [{ price: { mode: 'hour', rate: '1' } }, 'price.mode'],
    [{ price: { mode: 'mib', rate: '1', tax: '2' } }, 'price'],
    [{ priceSat: '7', price: { mode: 'mib', rate: '1' } }, 'price'],
  ])('refuses %j', async (body, field) => {
    const answer = await put(body).expect(400);
    expect(answer.body).toMatchObject({ code: 'validation-failed', errors: [{ path: field }] });
  });

  it('refuses more than all money, and a torrent nobody has', async () => {
    expect((await put({ priceSat: '2100000000000000' }).expect(422)).body.code).toBe('offer-invalid');
    const unknown = `/v1/torrents/${'1'.repeat(40)}/offer`;
    expect((await authorized(request(api.url).put(unknown)).send({}).expect(404)).body.code).toBe('torrent-not-found');
    expect((await get(unknown).expect(404)).body.code).toBe('torrent-not-found');
  });
});
