import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createMetainfo } from '../../metainfo/create.js';
import type { Metainfo } from '../../metainfo/metainfo.js';
import { parseMetainfo } from '../../metainfo/parse.js';
import { PieceSet } from '../../piece-set.js';
import { locationBelow, type Content } from '../location.js';
import { ContentWriter } from '../writer.js';
import { ContentSource } from './content-source.js';
import { fetchContent } from './fetch-content.js';
import type { SourceSettings } from './open-body.js';
import { readSourceAddress, shownAddress } from './source-address.js';
import { isLasting } from './source-error.js';

const BYTES = 100_000;
let folder: string;
let film: Buffer;
let metainfo: Metainfo;
let server: Server;
let base: string;
let requests: IncomingMessage[] = [];
/** What the server does; undefined: what a good one does. */
let behave: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
let runs = 0;

const anybody: SourceSettings = { mayCall: () => true };

function rangeOf(request: IncomingMessage): number {
  return Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

function serve(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const from = rangeOf(request);
  const headers = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(206, { ...headers, 'content-length': bytes.length - from }).end(bytes.subarray(from));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-'));
  film = Buffer.from(Uint8Array.from({ length: BYTES }, (_, at) => (at * 31 + (at >>> 8) * 7) & 0xff));
  await writeFile(join(folder, 'film'), film);
  const parsed = parseMetainfo(await createMetainfo(join(folder, 'film'), { pieceLengthBytes: 16_384 }));
  if (!parsed.ok) throw new Error(parsed.error.code);
  metainfo = parsed.value;
  server = createServer((request, response) => {
    requests.push(request);
    if (behave !== undefined) behave(request, response);
    else serve(request, response, film);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests = [];
  behave = undefined;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

interface Outcome {
  readonly problems: readonly { readonly code: string }[];
  readonly bytes: Buffer;
  readonly have: PieceSet;
}

/** Fetches as a node does: again after each problem that may pass. */
async function fetchFrom(address: string, settings: SourceSettings = anybody, tries = 1): Promise<Outcome> {
  const root = join(folder, `out-${runs++}`);
  const content: Content = { metainfo, location: locationBelow(metainfo, root) };
  const writer = await ContentWriter.open(content);
  if (!writer.ok) throw new Error(writer.error.code);
  const url = readSourceAddress(address);
  if (url === undefined) throw new Error('no address');
  const source = new ContentSource(metainfo, url, settings);
  const have = new PieceSet(metainfo.pieceCount);
  const problems: { readonly code: string }[] = [];
  for (let tried = 0; tried < tries; tried++) {
    const problem = await fetchContent(content, have, source, writer.value, { signal: new AbortController().signal });
    if (problem === undefined) break;
    problems.push(problem);
  }
  source.close();
  await writer.value.close();
  return { problems, bytes: await readFile(join(root, 'film')), have };
}

it('gets everything over one answer', async () => {
  const { problems, bytes } = await fetchFrom(`${base}/film`);
  expect(problems).toEqual([]);
  expect(bytes.equals(film)).toBe(true);
  expect(requests.length).toBe(1);
});

it('goes on where a server cut it off, with ranges and without, and keeps no byte that is wrong', async () => {
  const faults = fc.array(fc.record({ cutAfter: fc.nat(BYTES), ranges: fc.boolean() }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(faults, async (plan) => {
      const left = [...plan];
      behave = (request, response) => {
        const fault = left.shift();
        if (fault === undefined) return serve(request, response, film);
        const from = fault.ranges ? rangeOf(request) : 0;
        if (fault.ranges) {
          response.writeHead(206, { 'content-range': `bytes ${from}-${BYTES - 1}/${BYTES}` });
        } else response.writeHead(200, { 'content-length': BYTES });
        response.write(film.subarray(from, from + fault.cutAfter), () => response.destroy());
      };
      const { bytes, have } = await fetchFrom(`${base}/film`, anybody, plan.length + 1);
      expect(have.isFull).toBe(true);
      expect(bytes.equals(film)).toBe(true);
    }),
    { numRuns: 25 },
  );
});

it('writes nothing of a lie, and asks anew only for the piece that was wrong', async () => {
  const lie = Buffer.from(film);
  lie[40_000] = (lie[40_000] ?? 0) ^ 1;
  let lies = 1;
  behave = (request, response) => serve(request, response, lies-- > 0 ? lie : film);
  const { problems, bytes } = await fetchFrom(`${base}/film`, anybody, 2);
  expect(problems).toMatchObject([{ code: 'source-corrupt', piece: 2 }]);
  expect(bytes.equals(film)).toBe(true);
  expect(requests.map(rangeOf)).toEqual([0, 2 * 16_384]);
});

it.each([
  ['source-refused', true, (_: IncomingMessage, response: ServerResponse) => response.writeHead(403).end()],
  ['source-busy', false, (_: IncomingMessage, response: ServerResponse) => response.writeHead(503).end()],
  ['source-differs', true, (request: IncomingMessage, r: ServerResponse) => serve(request, r, film.subarray(1))],
  ['source-differs', true, (_: IncomingMessage, r: ServerResponse) => r.writeHead(416).end()],
  ['source-differs', true, (_: IncomingMessage, r: ServerResponse) => r.writeHead(200, { 'content-length': 7 }).end()],
  [
    'source-differs',
    true,
    (_: IncomingMessage, r: ServerResponse) =>
      r.writeHead(206, { 'content-range': `bytes 5-${BYTES - 1}/${BYTES}` }).end(film.subarray(5)),
  ],
  ['cut-off', false, (_: IncomingMessage, r: ServerResponse) => r.writeHead(200).end(film.subarray(0, 100))],
  ['too-slow', false, (_: IncomingMessage, r: ServerResponse) => r.writeHead(200).write(film.subarray(0, 100))],
  ['too-slow', false, () => undefined],
] as const)('names %s (lasting: %s)', async (code, lasting, behaviour) => {
  behave = (request, response) => void behaviour(request, response);
  const { problems, have } = await fetchFrom(`${base}/film`, { mayCall: () => true, silenceMs: 300 });
  expect(problems).toMatchObject([{ code }]);
  expect(problems.map(isLasting)).toEqual([lasting]);
  expect(have.count).toBe(0);
});

it('follows few redirects, and none to an address that must not be called', async () => {
  behave = (request, response) => {
    const hop = Number(/hop(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
    if (hop === 0) serve(request, response, film);
    else response.writeHead(302, { location: hop === 1 ? '/film' : `/hop${hop - 1}` }).end();
  };
  expect((await fetchFrom(`${base}/hop5`)).problems).toEqual([]);
  expect((await fetchFrom(`${base}/hop6`)).problems).toMatchObject([{ code: 'redirect-refused' }]);
  const port = new URL(base).port;
  const onlyHere: SourceSettings = { mayCall: (address) => address === '127.0.0.1' };
  for (const inside of [`http://127.0.0.2:${port}/film`, 'http://169.254.169.254/latest', 'http://[::1]/']) {
    behave = (_, response) => void response.writeHead(302, { location: inside }).end();
    expect((await fetchFrom(`${base}/film`, onlyHere)).problems, inside).toMatchObject([{ code: 'address-refused' }]);
  }
  behave = (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end();
  expect((await fetchFrom(`${base}/film`)).problems).toMatchObject([{ code: 'redirect-refused' }]);
  // A name is judged by what it stands for.
  behave = undefined;
  const nobody: SourceSettings = { mayCall: () => false };
  expect((await fetchFrom(`http://localhost:${port}/film`, nobody)).problems).toMatchObject([
    { code: 'address-refused' },
  ]);
  expect((await fetchFrom(`http://localhost:${port}/film`)).problems).toEqual([]);
});

it('never shows the secret of a signed link, and takes no address that carries a user', () => {
  expect(shownAddress('https://store.example/b/film?X-Amz-Signature=abc')).toBe('https://store.example/b/film?…');
  expect(shownAddress('/srv/film')).toBe('/srv/film');
  for (const text of ['https://u:p@host/film', 'ftp://host/film', 'https://host/#x', 'https://', '/srv/film']) {
    expect(readSourceAddress(text), text).toBeUndefined();
  }
});
