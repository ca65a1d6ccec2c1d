import { nodeHeartbeat, nodeRegister, seedingReport } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { z } from 'zod';
import { PUBLIC_RATE } from '../access/scope.guard.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile } from '../testing/torrent-file.js';
import { marketPage, marketTorrentSchema, pricesPage } from './market.schemas.js';

let api: RunningMarketApi;
const file = torrentFile('Sintel & co', { pieceLength: 131_072, pieceCount: 987 });

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const body = { metainfo: file.base64, contentPath: '/srv/secret-place' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
  const bus = await api.busOf('swarm-node');
  const node = { nodeId: 'node-1', peerAddress: '127.0.0.1:7881' };
  await bus.request(nodeRegister, { ...node, version: '0.1.0' });
  const reports = [{ infoHash: file.infoHash, state: 'on-sale' as const, progress: 1, detail: '' }];
  await bus.request(seedingReport, { nodeId: node.nodeId, reports });
});
afterAll(() => api.stop());

describe('the public market', () => {
  it('lists prices and sellers without a key, and nothing that is the operator’s', async () => {
    const answer = await request(api.url).get('/v1/market/torrents').expect(200);
    const { items } = expectShape(marketPage, answer.body);
    expect(items).toMatchObject([
      {
        infoHash: file.infoHash,
        priceSat: '7',
        satPerMib: '56.000',
        totalSat: '6909',
        available: true,
        peers: ['127.0.0.1:7881'],
        satPerGib: '57344',
        tier: 'standard',
        bytesPerSecond: null,
        magnet: `magnet:?xt=urn:btih:${file.infoHash}&dn=Sintel%20%26%20co&xl=129368064` + '&x.pe=127.0.0.1%3A7881',
      },
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('secret-place');
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=2',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });

  it('shows one torrent, with the same figures', async () => {
    const listed = (await request(api.url).get('/v1/market/torrents')).body.items[0];
    const { body } = await request(api.url).get(`/v1/market/torrents/${file.infoHash}`).expect(200);
    expect(expectShape(marketTorrentSchema, body)).toEqual(listed);
    const unknown = await request(api.url)
      .get(`/v1/market/torrents/${'0'.repeat(40)}`)
      .expect(404);
    expect(unknown.body.code).toBe('torrent-not-found');
  });

  it('remembers what a torrent cost', async () => {
    const path = `/v1/torrents/${file.infoHash}/offer`;
    for (const priceSat of ['5', '6']) {
      await request(api.url).put(path).set('authorization', `Bearer ${api.key}`).send({ priceSat }).expect(200);
    }
    const read = (query: string) => request(api.url).get(`/v1/market/torrents/${file.infoHash}/prices${query}`);
    const { items } = expectShape(pricesPage, (await read('').expect(200)).body);
    expect(items.map(({ priceSat }) => priceSat)).toEqual(['6', '5', '7']);
    expect(items[0]).toMatchObject({ satPerMib: '48.000', totalSat: '5922' });
    expect(Object.keys(items[0] ?? {})).not.toContain('createdBy');
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await read(`?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`).expect(200);
      const page = pricesPage.parse(body);
      seen.push(...page.items.map(({ priceSat }) => priceSat));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['6', '5', '7']);
  });

  it('is searched by words and comes in every order, each torrent once', async () => {
    const names = ['Big.Buck_Bunny (2008)', 'big bang', 'Бакинская буря', 'Zebra'];
    for (const [place, name] of names.entries()) {
      const { base64 } = torrentFile(name, { pieceCount: 50 + 10 * place });
      const body = { metainfo: base64, contentPath: '/srv/x', labels: ['secret-label'] };
      await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
    }
    const find = async (query: object) => {
      const found: string[] = [];
      for (let cursor: string | undefined | null = undefined; cursor !== null;) {
        const answer = await request(api.url)
          .get('/v1/market/torrents')
          .set('authorization', `Bearer ${api.key}`)
          .query({ limit: 2, ...query, ...(cursor === undefined ? {} : { cursor }) })
          .expect(200);
        const page: z.output<typeof marketPage> = marketPage.parse(answer.body);
        found.push(...page.items.map(({ name }) => name));
        cursor = page.nextCursor;
      }
      return found;
    };
    expect((await find({ search: 'bi b' })).sort()).toEqual(['Big.Buck_Bunny (2008)', 'big bang']);
    expect(await find({ search: '2008 bunny' })).toEqual(['Big.Buck_Bunny (2008)']);
    expect(await find({ search: 'Бак' })).toEqual(['Бакинская буря']);
    expect(await find({ search: 'uck' })).toEqual([]);
    expect(await find({ available: true })).toEqual(['Sintel & co']);
    const all = [...names, 'Sintel & co'];
    expect(await find({ sort: 'name' })).toEqual([
      'big bang',
      'Big.Buck_Bunny (2008)',
      'Sintel & co',
      'Zebra',
      'Бакинская буря',
    ]);
    expect(await find({ sort: 'smallest' })).toEqual(all);
    expect(await find({ sort: 'largest' })).toEqual([...all].reverse());
    expect(await find({ sort: 'newest' })).toEqual([...names].reverse().concat('Sintel & co'));
    // The default price of small torrents is dearer by size; Sintel is sold at 6.
    expect(await find({ sort: 'dearest' })).toEqual(all);
    expect(await find({ sort: 'cheapest' })).toEqual([...all].reverse());
    const { body } = await request(api.url).get('/v1/market/torrents?sort=name&limit=1').expect(200);
    const other = await request(api.url).get(`/v1/market/torrents?sort=newest&cursor=${body.nextCursor}`).expect(400);
    expect(other.body.errors[0].path).toBe('cursor');
    expect(JSON.stringify(body)).not.toContain('secret-label');
  });

  it('gives the .torrent file to anybody', async () => {
    const item = (await request(api.url).get(`/v1/market/torrents/${file.infoHash}`)).body;
    const answer = await request(api.url).get(item.torrentFile).buffer(true).expect(200);
    expect(answer.headers['content-type']).toContain('application/x-bittorrent');
    const unknown = await request(api.url)
      .get(`/v1/market/torrents/${'0'.repeat(40)}/file.torrent`)
      .expect(404);
    expect(unknown.body.code).toBe('torrent-not-found');
  });

  it('leaves out nodes that drain', async () => {
    const bus = await api.busOf('swarm-node');
    const beat = {
      nodeId: 'node-1',
      peerAddress: '127.0.0.1:7881',
      connections: 0,
      activeChannels: 0,
      joinedChannels: 0,
      piecesSold: 0,
      bytesSold: 0,
      exposureBytes: 0,
      draining: true,
    };
    bus.publish(nodeHeartbeat, [], beat);
    await vi.waitFor(
      async () => {
        const { body } = await request(api.url).get('/v1/market/torrents?limit=7');
        expect(body.items.at(-1)).toMatchObject({ available: false, peers: [] });
      },
      { timeout: 10_000, interval: 500 },
    );
  });

  it('bounds what one address may ask, and says when to come back', async () => {
    const answers = await Promise.all(
      Array.from({ length: PUBLIC_RATE.burst + 30 }, () => request(api.url).get('/v1/market/torrents')),
    );
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]?.body.code).toBe('rate-limited');
    expect(Number(limited[0]?.headers['retry-after'])).toBeGreaterThan(0);
    const withKey = request(api.url).get('/v1/market/torrents').set('authorization', `Bearer ${api.key}`);
    await withKey.expect(200);
  });
});

describe('the OpenAPI document', () => {
  interface Operation {
    readonly operationId: string;
    readonly responses: Record<string, { content?: Record<string, { schema?: object }> }>;
    readonly security?: readonly object[];
    readonly parameters?: readonly object[];
  }
  interface OpenApi {
    readonly openapi: string;
    readonly paths: Record<string, Record<string, Operation>>;
  }

  it('is 3.1, and describes every operation with its answers, refusals and keys', async () => {
    const { body, headers } = await request(api.url).get('/openapi.json').expect(200);
    const document = body as OpenApi;
    expect(headers['content-type']).toContain('application/json');
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      );
    expect(operations.length).toBeGreaterThanOrEqual(16);
    for (const { path, method, operation } of operations) {
      const name = `${method} ${path}`;
      const success = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
      expect(success, name).toEqual(name === 'post /v1/torrents' ? ['200', '201'] : [expect.any(String)]);
      expect(operation.responses['400'], name).toBeDefined();
      const isOpen = path.startsWith('/v1/market/') || name === 'post /v1/session';
      expect(operation.security, name).toEqual(isOpen ? [] : [expect.anything(), expect.anything()]);
      if (!isOpen && method !== 'get') expect(JSON.stringify(operation.parameters), name).toContain('Idempotency-Key');
      for (const [status, response] of Object.entries(operation.responses)) {
        if (status !== '204') expect(response.content, `${name} ${status}`).toBeDefined();
      }
    }
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    const dangling = [...JSON.stringify(body).matchAll(/"\$ref":"#([^"]*)"/g)].filter(
      ([, pointer]) => resolvePointer(body, pointer ?? '') === undefined,
    );
    expect(dangling).toEqual([]);
  });
});

it('answers what does not exist with a problem document, whatever the method', async () => {
  for (const method of ['get', 'post', 'delete'] as const) {
    const answer = await request(api.url)[method]('/v1/nothing').set('authorization', `Bearer ${api.key}`).expect(404);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ code: 'not-found', requestId: expect.any(String) });
  }
  await request(api.url).get('/v1/torrents/%ff').set('authorization', `Bearer ${api.key}`).expect(400);
});

it('reports health and metrics without a key', async () => {
  await request(api.url).get('/health').expect(200);
  expect((await request(api.url).get('/metrics').expect(200)).text).toContain('process_cpu_seconds_total');
});

function resolvePointer(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .filter((part) => part !== '')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], document);
}
