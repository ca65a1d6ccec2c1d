import { request as open, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { operationsOf, type OpenApi } from '../testing/documented-operations.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';
import { problemSchema } from './problem-schema.js';

/** What is wrong about a request before its schema is: method, address, headers, encoding. */

let api: RunningMarketApi;
let document: OpenApi;
const file = torrentFile('protocol');

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  await send('POST', '/v1/torrents', {}, JSON.stringify({ metainfo: file.base64, contentPath: '/srv/x' }));
  document = JSON.parse((await send('GET', '/openapi.json')).text) as OpenApi;
});
afterAll(() => api.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Exactly this address and these headers, which clients with better manners would put right. */
function send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  const { port } = new URL(api.url);
  const json =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const asked = open(
      {
        ...{ port, host: '127.0.0.1', method, path, agent: false },
        headers: { authorization: `Bearer ${api.key}`, ...json, ...headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        answer.once('error', reject);
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}

/** Bytes as they are, and everything that comes back until the connection ends. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(text, 'latin1'));
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}

function refusal(answer: Answer, what: string): string {
  expect(answer.headers['content-type'], `${what}: ${answer.text}`).toContain('application/problem+json');
  expect(answer.text, what).not.toMatch(/prisma|postgres|select |at \/|node_modules/i);
  const problem = problemSchema.parse(JSON.parse(answer.text));
  expect(problem.status, what).toBe(answer.status);
  return problem.code;
}

describe('methods', () => {
  it('that a path lacks are refused with those that it has, and OPTIONS names them', async () => {
    const methods = new Map<string, Set<string>>();
    for (const { path, method } of operationsOf(document)) {
      const known = methods.get(path) ?? new Set(['OPTIONS']);
      methods.set(path, known.add(method.toUpperCase()));
      if (method === 'get') known.add('HEAD');
    }
    expect([...methods.keys()]).toContain('/health');
    const asked = [...methods].flatMap(([path, known]) =>
      ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS']
        .filter((method) => method === 'OPTIONS' || !known.has(method))
        .map((method) => ({ path: path.replaceAll(/\{\w+\}/g, '~'), method, known })),
    );
    for (const { path, method, known } of asked) {
      // Nobody needs a key to hear what the document says anyhow.
      const answer = await send(method, path, { authorization: '' });
      const what = `${method} ${path}`;
      expect(new Set(answer.headers.allow?.split(', ')), what).toEqual(known);
      expect(answer.status, what).toBe(method === 'OPTIONS' ? 204 : 405);
      if (method !== 'OPTIONS' && method !== 'HEAD') expect(refusal(answer, what)).toBe('method-not-allowed');
    }
    expect(refusal(await send('BIND', '/v1/torrents'), 'BIND')).toBe('method-not-allowed');
    expect(refusal(await send('POST', '/revenue'), 'a page')).toBe('method-not-allowed');
    expect(refusal(await send('DELETE', '/v1/nowhere'), 'a path that is none')).toBe('not-found');
  }, 60_000);

  it('HEAD gives the headers of GET and ends, also where GET never does', async () => {
    for (const path of ['/v1/torrents', '/v1/events', '/v1/reports/export?of=days', '/openapi.json', '/health']) {
      const head = await send('HEAD', path);
      expect({ path, status: head.status, text: head.text }).toEqual({ path, status: 200, text: '' });
    }
    expect((await send('HEAD', '/v1/events')).headers['content-type']).toContain('text/event-stream');
  });

  it('may be asked for by other sites where the market is public, and only there', async () => {
    const path = `/v1/market/torrents/${file.infoHash}`;
    const headers = { origin: 'https://books.example', 'access-control-request-method': 'GET' };
    expect((await send('OPTIONS', path, headers)).headers['access-control-allow-origin']).toBe('*');
    // What went wrong is for their eyes too.
    expect((await send('GET', '/v1/market/torrents?limit=x')).headers['access-control-allow-origin']).toBe('*');
    for (const method of ['OPTIONS', 'GET']) {
      expect((await send(method, '/v1/torrents', headers)).headers).not.toHaveProperty('access-control-allow-origin');
    }
  });
});

describe('content types', () => {
  it('that an endpoint does not give are refused, and preferences kept', async () => {
    const asked = async (path: string, accept: string) => {
      const answer = await send('GET', path, { accept });
      return answer.status === 200 ? answer.headers['content-type'] : refusal(answer, `${path} as ${accept}`);
    };
    expect(await asked('/v1/torrents', 'text/html')).toBe('not-acceptable');
    expect(await asked('/v1/torrents', 'text/html, */*;q=0.1')).toContain('application/json');
    expect(await asked('/v1/events', 'application/json')).toBe('not-acceptable');
    expect(await asked('/v1/reports/export?of=days', 'application/json')).toContain('application/json');
    expect(await asked('/v1/reports/export?of=days', '*/*')).toContain('text/csv');
    const torrent = `/v1/market/torrents/${file.infoHash}/file.torrent`;
    expect(await asked(torrent, 'application/x-bittorrent')).toContain('application/x-bittorrent');
    expect(await asked(torrent, 'image/png')).toBe('not-acceptable');
  });

  it.each([
    [{ 'content-type': 'text/plain' }, '{}', 'unsupported-media-type'],
    [{ 'content-type': 'application/json; charset=klingon' }, '{}', 'unsupported-media-type'],
    [{ 'content-encoding': 'zstd' }, '{}', 'unsupported-media-type'],
    [{ 'content-encoding': 'gzip' }, '{}', 'body-malformed'],
    [{}, '{"name":', 'body-malformed'],
    [{}, '['.repeat(60_000), 'body-too-deep'],
    [{ 'idempotency-key': 'deep' }, `{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'body-too-deep'],
    [{ 'idempotency-key': 'shallow' }, `{"name":"${'['.repeat(100)}\\"${'{'.repeat(100)}"}`, 'validation-failed'],
    [{}, `{"name":"${'x'.repeat(70_000)}"}`, 'body-too-large'],
  ])('of a body: with %j', async (headers, body, code) => {
    expect(refusal(await send('POST', '/v1/api-keys', headers, body), body.slice(0, 20))).toBe(code);
  });
});

describe('what is hardly HTTP', () => {
  it.each([
    ['an address without end', `GET /v1/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers-too-large'],
    [
      'a header without end',
      `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'request-malformed'],
    ['a NUL in a header', 'GET /health HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n', 400, 'request-malformed'],
    [
      'two lengths',
      'POST /v1/torrents HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'request-malformed',
    ],
  ])('%s gets a problem document too', async (_what, text, status, code) => {
    const [head = '', body = ''] = (await sendRaw(text)).split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('application/problem+json');
    expect(problemSchema.parse(JSON.parse(body))).toMatchObject({ status, code });
  });

  it('nonsense after a request does not cost that request its answer', async () => {
    const answer = await sendRaw('GET /health HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});

/** Addresses, headers and bodies as no client should make them; never a fault of ours, and each refusal with a code. */
it('answers every oddity of HTTP with a problem document', async () => {
  const operations = operationsOf(document).filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/events');
  const bad = fc.constantFrom(
    '%',
    '%zz',
    '%E0%A4%A',
    '%00',
    '%2e%2e%2f',
    '%ff%fe',
    '%F0%9F%92%A9',
    '%ud800',
    ';a=b',
    '//',
  );
  const name = fc.constantFrom('limit', 'cursor', 'sort', 'state', 'from', 'dryRun', 'kind', 'search', 'figure');
  const header = fc.constantFrom(
    'accept',
    'content-type',
    'content-encoding',
    'if-match',
    'range',
    'cookie',
    'host',
    'origin',
    'last-event-id',
    'x-forwarded-for',
    'accept-language',
    'expect',
    'if-none-match',
    'idempotency-key',
  );
  const value = fc.oneof(
    fc.constantFrom(
      '',
      ',',
      '*',
      '"',
      'a/b;q=2',
      'bytes=0-',
      '%',
      '\xff',
      'x'.repeat(3_000),
      'seedfleet_session=%zz',
      '9'.repeat(400),
    ),
    fc.string({
      unit: fc
        .integer({ min: 0x21, max: 0xff })
        .filter((at) => at !== 0x7f)
        .map((at) => String.fromCharCode(at)),
      maxLength: 20,
    }),
  );
  const oddity = fc.record({
    choice: fc.nat(),
    inPath: fc.option(bad),
    query: fc.array(fc.tuple(name, fc.oneof(bad, fc.constantFrom('', '1', 'newest', '1&limit=2', '[]'))), {
      maxLength: 4,
    }),
    headers: fc.dictionary(header, value, { maxKeys: 3 }),
    body: fc.option(
      fc.oneof(fc.json({ maxDepth: 4 }), fc.string({ maxLength: 30 }), fc.constant('{"__proto__":{"x":1}}')),
    ),
    method: fc.constantFrom('own', 'own', 'own', 'HEAD', 'OPTIONS', 'PATCH'),
  });
  const property = fc.asyncProperty(oddity, async ({ choice, inPath, query, headers, body, method }) => {
    const operation = operations[choice % operations.length] ?? operations[0]!;
    const path =
      operation.path.replaceAll(/\{\w+\}/g, inPath ?? file.infoHash) +
      (operation.path.includes('{') ? '' : (inPath ?? ''));
    const target = `${path}?${query.map(([key, text]) => `${key}=${text}`).join('&')}`;
    const asked = method === 'own' ? operation.method.toUpperCase() : method;
    const answer = await send(asked, target, headers, body ?? undefined);
    const what = `${asked} ${target} ${JSON.stringify(headers)}: ${answer.text}`;
    // There is no settler here.
    const away = answer.status === 503 && path.startsWith('/v1/treasury');
    if (!away) expect(answer.status, what).toBeLessThan(500);
    // 417 comes from Node itself, whose server knows only one expectation.
    if (answer.status >= 400 && asked !== 'HEAD' && answer.status !== 417) refusal(answer, what);
  });
  await fc.assert(property, { numRuns: 400 });
  expect((await send('GET', '/health')).status).toBe(200);
}, 90_000);
