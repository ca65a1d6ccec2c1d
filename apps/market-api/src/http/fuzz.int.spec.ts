import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';
import { problemSchema } from './problem-schema.js';

/** Nonsense in every place of every operation of the OpenAPI document: refused with a code, never a fault of ours. */

let api: RunningMarketApi;
let operations: { method: 'get' | 'post' | 'put' | 'patch' | 'delete'; path: string }[];
const file = torrentFile('fuzzed');

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const body = { metainfo: file.base64, contentPath: '/srv/x' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
  const { body: document } = await request(api.url).get('/openapi.json').expect(200);
  const paths = (document as { paths: Record<string, Record<string, unknown>> }).paths;
  operations = Object.entries(paths)
    // The stream of events has no end; its own spec asks it nonsense.
    .filter(([path]) => path.startsWith('/v1/') && path !== '/v1/events')
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method as (typeof operations)[number]['method'], path })),
    );
});
afterAll(() => api.stop());

const odd = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    'null',
    '\0',
    '\ud800',
    "'; DROP TABLE x; --",
    '%',
    '../..',
    '\u202e',
    '9'.repeat(300),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const names = fc.constantFrom(
  'limit',
  'cursor',
  'state',
  'infoHash',
  'nodeId',
  'label',
  'contentPath',
  'priceSat',
  'lockUnits',
  'maxSellers',
  'name',
  'scopes',
  'labels',
  'metainfo',
  'url',
  'kinds',
  'expiresAt',
  'action',
  'since',
  'key',
  'tier',
  'search',
  'sort',
  'available',
  'price',
  'select',
  'change',
  'dryRun',
  'multiplier',
  'figure',
  'from',
  'to',
  'of',
  'format',
  'buyer',
  'days',
  'hash',
  'why',
  'inForce',
  'sparkDays',
  'bandwidthSatPerGib',
  'path',
  'after',
  'private',
  'pieceLengthBytes',
  'replicas',
  '__proto__',
  'constructor',
);
const json = fc.oneof(
  odd,
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(odd, { maxLength: 3 }),
  fc.dictionary(names, odd),
);

/** Its answer is that the settler is away: there is none here. */
const ASKS_THE_SETTLER = /^\/v1\/treasury/;

it('answers nonsense with a problem document', async () => {
  const nonsense = fc.record({
    choice: fc.nat(),
    id: fc.oneof(
      odd,
      fc.constant(file.infoHash),
      fc.constant('00000000-0000-4000-8000-000000000000'),
      fc.constant('1'),
    ),
    query: fc.dictionary(names, odd, { maxKeys: 3 }),
    body: fc.oneof(json, fc.dictionary(names, json, { maxKeys: 4 })),
  });
  const property = fc.asyncProperty(nonsense, async ({ choice, id, query, body }) => {
    const { method, path } = operations[choice % operations.length] ?? operations[0]!;
    const target = path.replaceAll(/\{\w+\}/g, encodeURIComponent(wellFormed(id)));
    const asked = request(api.url)
      [method](target)
      .query(Object.fromEntries(Object.entries(query).map(([name, value]) => [name, wellFormed(value)])))
      .set('authorization', `Bearer ${api.key}`)
      .set({ ...(choice % 3 === 0 ? { 'idempotency-key': `key-${choice % 7}`, 'if-match': '"v1"' } : {}) });
    const answer =
      method === 'get' || method === 'delete' ? await asked : await asked.type('json').send(JSON.stringify(body));
    const away = answer.status === 503 && ASKS_THE_SETTLER.test(path);
    if (!away) expect(answer.status, `${method} ${target}: ${answer.text}`).toBeLessThan(500);
    if (answer.status >= 400) problemSchema.parse(answer.body);
  });
  await fc.assert(property, { numRuns: 400 });
}, 90_000);

/** Lone surrogates can't be written into an address. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
