import { readFileSync } from 'node:fs';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  fitting,
  operationsOf,
  typesOf,
  unannounced,
  type OpenApi,
  type Operation,
  type Parameter,
} from '../testing/documented-operations.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';
import { problemSchema } from './problem-schema.js';

/** A client that knows nothing but the OpenAPI document, and asks every operation of it what it must refuse. */

let api: RunningMarketApi;
let document: OpenApi;
let operations: Operation[];
const file = torrentFile('documented');

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const added = { metainfo: file.base64, contentPath: '/srv/x' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(added).expect(201);
  document = (await request(api.url).get('/openapi.json').expect(200)).body as OpenApi;
  // The stream of events has no end; its own spec asks it nonsense.
  operations = operationsOf(document).filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/events');
});
afterAll(() => api.stop());

/** There is no settler here: its answers are that it is away. */
const AWAY = /^\/v1\/treasury/;
const named = ({ method, path }: Operation): string => `${method.toUpperCase()} ${path}`;

interface Ask {
  readonly body?: unknown;
  /** Instead of a fitting one, by name. */
  readonly path?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
}

async function ask(
  operation: Operation,
  { body, path = {}, query, key = api.key, headers = {} }: Ask,
): Promise<Response> {
  const target = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const parameter = operation.parameters?.find((each) => each.in === 'path' && each.name === name);
    return encodeURIComponent(path[name] ?? String(fitting(document, parameter?.schema)));
  });
  const needed = (operation.parameters ?? []).filter((each) => each.in === 'query' && each.required === true);
  const all = {
    ...Object.fromEntries(needed.map(({ name, schema }) => [name, String(fitting(document, schema))])),
    ...query,
  };
  const asked = request(api.url)
    [operation.method](target)
    .query(all)
    .set({ ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers });
  const answer = await (body === undefined ? asked : asked.type('json').send(JSON.stringify(body)));
  expect(unannounced(document, operation, answer), named(operation)).toBeUndefined();
  return answer;
}

/** What every write leaves behind. */
const written = () => api.own.auditEntry.count();

/** Tables that follow others a moment later. */
const BY_THEMSELVES = [
  'takedown',
  'sign_in_failure',
  'event',
  'alert',
  'alert_change',
  'placement',
  'placement_round',
  'torrent_earning',
];

/** A digest of every row of this service but for when keys were used. */
async function everything(): Promise<string> {
  const tables = await api.admin.$queryRaw<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'market' AND NOT tablename = ANY(${BY_THEMSELVES}) ORDER BY 1`;
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, count(*)::int AS rows,
         coalesce(sum(hashtextextended((to_jsonb(t) - 'lastUsedAt')::text, 0)), 0)::text AS digest FROM market."${name}" t`,
  );
  return JSON.stringify(await api.admin.$queryRawUnsafe(parts.join(' UNION ALL ')));
}

/**
 * Checks that these requests change nothing. What follows earlier writes by itself may fall between, once; so they are
 * sent again before they are blamed. `send` says whether one of them was taken: then something may have changed.
 */
async function changesNothing(what: string, send: () => Promise<boolean>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await everything();
    if (await send()) return;
    const after = await everything();
    if (after === before || attempt === 3) return expect.soft(JSON.parse(after), what).toEqual(JSON.parse(before));
  }
}

function refusal(answer: Response, what: string): string {
  expect(answer.status, `${what}: ${answer.text}`).toBeGreaterThanOrEqual(400);
  expect(answer.headers['content-type'], what).toContain('application/problem+json');
  const problem = problemSchema.parse(answer.body);
  expect(problem.status, what).toBe(answer.status);
  expect(answer.text, what).not.toMatch(/prisma|postgres|select |at \/|node_modules/i);
  return problem.code;
}

const nameless = { unheardOf: '1' };

/** What the command line knows to ask: each operation with a command, whose own spec runs it. */
const COMMANDS = JSON.parse(
  readFileSync(new URL('../../../../tools/fleetctl/src/operations.json', import.meta.url), 'utf8'),
) as Record<string, { readonly query: readonly string[]; readonly spared?: readonly string[] }>;
/** The command line turns pages by itself. */
const PAGING = ['cursor', 'limit', 'after'];

describe('the OpenAPI document', () => {
  it('says nothing that the command line cannot ask', () => {
    const asked = operationsOf(document)
      .filter(({ path }) => path.startsWith('/v1/'))
      .map((operation): [string, string[]] => [
        named(operation),
        (operation.parameters ?? [])
          .filter((each) => each.in === 'query' && !PAGING.includes(each.name))
          .map(({ name }) => name)
          .sort(),
      ]);
    const known = Object.entries(COMMANDS).map(([name, { query, spared = [] }]): [string, string[]] => [
      name,
      [...query, ...spared].sort(),
    ]);
    expect(Object.fromEntries(asked)).toEqual(Object.fromEntries(known));
  });

  it('is of version 3.1, whole, and names each operation once', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    // Not every tool knows classes of characters by name.
    expect(JSON.stringify(document)).not.toMatch(/\\p\{/i);
    const schemas = document.components?.schemas ?? {};
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      expect(Object.keys(schemas)).toContain(reference);
    for (const operation of operations) {
      const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);
      expect(declared.sort(), named(operation)).toEqual(inPath.sort());
      expect(operation.summary, named(operation)).toBeTruthy();
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        named(operation),
      ).toBe(true);
      if (['post', 'put', 'patch'].includes(operation.method) && operation.body !== undefined)
        expect(operation.body, named(operation)).toBeTypeOf('object');
    }
  });

  it('answers whoever has no key, or one without scopes, with nothing but a code', async () => {
    const poor = await api.newKey([]);
    const before = await written();
    for (const operation of operations.filter(({ open }) => !open)) {
      const body = operation.body && fitting(document, operation.body);
      expect(refusal(await ask(operation, { body, key: null }), named(operation))).toBe('unauthenticated');
      const answer = await ask(operation, { body, key: poor });
      if (answer.status >= 400)
        expect(refusal(answer, named(operation))).toMatch(/^(scope-missing|validation-failed)$/);
      else expect(operation.path, 'needs no scope').toMatch(/session/);
    }
    expect(await written()).toBe(before);
  }, 120_000);

  it('lets a key that may read write nothing', async () => {
    const reader = await api.newKey(['read']);
    const before = await written();
    for (const operation of operations.filter(({ open, method }) => !open && method !== 'get')) {
      const answer = await ask(operation, { body: operation.body && fitting(document, operation.body), key: reader });
      expect(answer.status, named(operation)).toBeLessThan(500);
    }
    expect(await written()).toBe(before);
  }, 120_000);

  it('refuses unknown parameters and fields everywhere', async () => {
    const before = await written();
    for (const operation of operations) {
      const body = operation.body && fitting(document, operation.body);
      const answer = await ask(operation, { body, query: nameless });
      expect(refusal(answer, `${named(operation)}?unheardOf`)).toBe('validation-failed');
      if (operation.body === undefined) continue;
      const fat = await ask(operation, { body: { ...(body as object), ...nameless } });
      expect(refusal(fat, `${named(operation)} {unheardOf}`)).toBe('validation-failed');
    }
    expect(await written()).toBe(before);
  }, 120_000);

  it('refuses ids that are of nothing', async () => {
    const before = await written();
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      // Setting a tier makes it, and a channel's explanation may be empty.
      if (named(operation) === 'PUT /v1/tiers/{name}' || operation.path.startsWith('/v1/reports/')) continue;
      const answer = await ask(operation, { body: operation.body && fitting(document, operation.body) });
      expect(refusal(answer, named(operation)), named(operation)).not.toBe('internal');
      expect([400, 404, 409, 422], `${named(operation)}: ${answer.text}`).toContain(answer.status);
    }
    expect(await written()).toBe(before);
  }, 120_000);

  it('refuses wrong types and sizes of every parameter, and nothing was changed', async () => {
    for (const operation of operations) {
      const body = operation.body && fitting(document, operation.body);
      const given = (operation.parameters ?? []).filter((each) => each.in === 'path' || each.in === 'query');
      const send = async (): Promise<boolean> => {
        for (const parameter of given) {
          for (const value of ['', '\0', 'y'.repeat(5_000), '-1', '1e400', '[]', "'; --", '../x', '\ufffd']) {
            const ill = !possible(parameter, value);
            const place = { [parameter.name]: value };
            // A path without its last part is another path; with a dry run every write that may be one is.
            if (parameter.in === 'path' && value === '') continue;
            const answer = await ask(
              operation,
              parameter.in === 'path' ? { body, path: place } : { body, query: place },
            );
            const what = `${named(operation)} ${parameter.name}=${value.slice(0, 20)}`;
            if (ill || answer.status >= 400) {
              const code = refusal(answer, what);
              if (code !== 'unavailable') expect.soft(answer.status, `${what}: ${answer.text}`).toBeLessThan(500);
              if (ill) expect.soft(code, what).toBe('validation-failed');
            }
          }
        }
        return operation.method !== 'get';
      };
      if (given.length > 0) await changesNothing(named(operation), send);
    }
  }, 120_000);

  it('refuses wrong types and sizes of every field, and nothing was changed', async () => {
    const wrong: unknown[] = [null, -1, 1.5, '\0', [[]], { x: 1 }, true, 'y'.repeat(70_000), [...'y'.repeat(30_000)]];
    for (const operation of operations.filter(({ body }) => body !== undefined)) {
      const whole = fitting(document, operation.body) as Record<string, unknown>;
      const fields = Object.entries(operation.body?.properties ?? {});
      const bodies = fields.flatMap(([field, schema]) =>
        wrong.map((value) => ({ body: { ...whole, [field]: value }, field, value, types: typesOf(document, schema) })),
      );
      await changesNothing(named(operation), async () => {
        for (const body of [null, [], 'text', 7])
          refusal(await ask(operation, { body }), `${named(operation)} ${body}`);
        let changed = false;
        for (const { body, field, value, types } of bodies) {
          const what = `${named(operation)} ${field}=${(JSON.stringify(value) ?? '').slice(0, 30)}`;
          const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
          const answer = await ask(operation, { body });
          const large = JSON.stringify(body).length > 65_536;
          if (answer.status < 400) changed = true;
          if (answer.status < 400 && !large && (types === undefined || types.has(type))) continue;
          const code = refusal(answer, what);
          if (!(code === 'unavailable' && AWAY.test(operation.path)))
            expect.soft(answer.status, what).toBeLessThan(500);
        }
        return changed;
      });
    }
  }, 120_000);

  it('takes a repeated Idempotency-Key with another request for the mistake it is', async () => {
    for (const operation of operations.filter(({ body, open }) => body !== undefined && !open)) {
      const key = { 'idempotency-key': `key of ${operation.operationId ?? ''}`.replaceAll(' ', '-') };
      const first = await ask(operation, { body: fitting(document, operation.body), headers: key });
      const before = await written();
      const second = await ask(operation, { body: { other: 1 }, headers: key });
      const code = refusal(second, named(operation));
      // A write that was refused is forgotten.
      if (first.status < 400) expect.soft(code, named(operation)).toBe('idempotency-key-reused');
      expect.soft(await written()).toBe(before);
    }
  }, 120_000);
});

/** Whether the document lets a parameter be this text: false only where it certainly does not. */
function possible({ schema }: Parameter, text: string): boolean {
  const { type, enum: values, pattern, minLength = 0, maxLength = Infinity } = schema ?? {};
  if (values !== undefined) return values.includes(text);
  if (type !== 'string') return true;
  if (text.length < minLength || text.length > maxLength) return false;
  return pattern === undefined || new RegExp(pattern, 'u').test(text);
}
