import { readFileSync } from 'node:fs';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { expectShape } from '../testing/shape.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';
import { torrentDetailSchema, torrentPage } from './torrent.schemas.js';

let api: RunningMarketApi;
const as = (key: string) => ({ authorization: `Bearer ${key}` });
const content = '/srv/content/book.epub';

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
});
afterAll(() => api.stop());

const post = (body: object, key = api.key) => request(api.url).post('/v1/torrents').set(as(key)).send(body);
const get = (path: string) => request(api.url).get(path).set(as(api.key));

describe('adding a torrent', () => {
  it('answers with the torrent, sold at the price default buyers accept', async () => {
    const book = torrentFile('book.epub');
    const answer = await post({ metainfo: book.base64, contentPath: content, labels: ['books'] }).expect(201);
    const torrent = expectShape(torrentDetailSchema, answer.body);
    expect(torrent).toMatchObject({
      infoHash: book.infoHash,
      name: 'book.epub',
      pieceCount: 23,
      contentPath: content,
      state: 'active',
      labels: ['books'],
      sale: { state: 'waiting', nodesOnSale: 0, refusedNow: null },
      offer: { version: 0, priceSat: '218', maxSellers: 5 },
      totalSat: '5014',
      nodes: [],
    });
    expect(answer.headers['location']).toBe(`/v1/torrents/${book.infoHash}`);
  });

  it('changes nothing the second time, and only what differs the third', async () => {
    const book = torrentFile('again.epub');
    const first = await post({ metainfo: book.base64, contentPath: content }).expect(201);
    const second = await post({ metainfo: book.base64, contentPath: content }).expect(200);
    expect(second.body).toEqual(first.body);
    const moved = await post({ metainfo: book.base64, contentPath: '/elsewhere' }).expect(200);
    expect(moved.body).toMatchObject({ contentPath: '/elsewhere', createdAt: first.body.createdAt });
    const audit = await api.admin.auditEntry.findMany({ where: { target: book.infoHash }, orderBy: { id: 'asc' } });
    expect(audit.map(({ action }) => action)).toEqual(['torrent.add', 'torrent.add-again']);
    expect(audit[0]?.actor).toMatch(/^key:/);
  });

  it('takes the file itself as body', async () => {
    const file = torrentFile('raw.epub', { pieceCount: 40_000 });
    expect(file.bytes.length).toBeGreaterThan(700_000);
    const answer = await request(api.url)
      .post('/v1/torrents')
      .query({ contentPath: content, label: 'big' })
      .set(as(api.key))
      .type('application/x-bittorrent')
      .send(file.bytes)
      .expect(201);
    expect(answer.body).toMatchObject({ infoHash: file.infoHash, labels: ['big'] });
  });

  it('adds a torrent once when asked many times at once', async () => {
    const file = torrentFile('rush.epub');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post({ metainfo: file.base64, contentPath: content })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
  });

  it.each([
    ['not bencode', Buffer.from('hello'), 'not-bencode'],
    ['a name that leaves the folder', torrentFile('../../etc/passwd').bytes, 'unsafe-path'],
    ['sizes that do not fit the hashes', torrentFile('x', {}, { length: 1e15 }).bytes, undefined],
    ['two files of one path', torrentFile('x', {}, twoFiles(['a'], ['a'])).bytes, undefined],
    ['a file that leaves the folder', torrentFile('x', {}, twoFiles(['..', 'a'], ['b'])).bytes, 'unsafe-path'],
  ])('refuses %s', async (_, bytes, reason) => {
    const before = await api.admin.torrent.count();
    const answer = await post({ metainfo: bytes.toString('base64'), contentPath: content }).expect(422);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status: 422, code: 'metainfo-invalid', ...(reason && { reason }) });
    expect(await api.admin.torrent.count()).toBe(before);
  });

  it.each([
    ['no content path', { metainfo: 'aGVsbG8=' }, 'contentPath'],
    ['a relative content path', { metainfo: 'aGVsbG8=', contentPath: 'here' }, 'contentPath'],
    ['a zero byte in the content path', { metainfo: 'aGVsbG8=', contentPath: '/a\0b' }, 'contentPath'],
    ['no base64', { metainfo: '%%%', contentPath: '/a' }, 'metainfo'],
    ['an unknown field', { metainfo: 'aGVsbG8=', contentPath: '/a', price: 1 }, ''],
    ['the wrong type', { metainfo: 7, contentPath: '/a' }, 'metainfo'],
    ['repeated labels', { metainfo: 'aGVsbG8=', contentPath: '/a', labels: ['x', 'x'] }, 'labels'],
  ])('refuses %s', async (_, body, path) => {
    const answer = await post(body).expect(400);
    expect(answer.body).toMatchObject({ code: 'validation-failed', errors: [{ path }] });
  });

  it('refuses bodies that are too large, not JSON, or of another type', async () => {
    const small = 'x'.repeat(70_000);
    const patch = request(api.url)
      .patch(`/v1/torrents/${'0'.repeat(40)}`)
      .set(as(api.key));
    expect((await patch.send({ contentPath: small }).expect(413)).body.code).toBe('body-too-large');
    const huge = await request(api.url)
      .post('/v1/torrents')
      .query({ contentPath: content })
      .set(as(api.key))
      .type('application/x-bittorrent')
      .send(Buffer.alloc(17 * 1024 * 1024));
    expect(huge.body.code).toBe('body-too-large');
    const broken = request(api.url).post('/v1/torrents').set(as(api.key)).type('application/json').send('{"a":');
    expect((await broken.expect(400)).body.code).toBe('body-malformed');
    const form = request(api.url).post('/v1/torrents').set(as(api.key)).type('form').send('a=b');
    expect((await form.expect(415)).body.code).toBe('unsupported-media-type');
  });

  it('gives a large body of a stranger nothing but a refusal', async () => {
    const body = JSON.stringify({ metainfo: 'A'.repeat(1_000_000), contentPath: content });
    const answer = await request(api.url).post('/v1/torrents').type('application/json').send(body);
    expect([401, 413]).toContain(answer.status);
  });

  it('keeps a real public-domain torrent byte for byte', async () => {
    const path = new URL('../../../../node_modules/webtorrent-fixtures/fixtures/leaves.torrent', import.meta.url);
    const bytes = readFileSync(path);
    const { body } = await post({ metainfo: bytes.toString('base64'), contentPath: content }).expect(201);
    const file = await request(api.url)
      .get(`/v1/market/torrents/${body.infoHash}/file.torrent`)
      .buffer(true)
      .parse(binary);
    expect(Buffer.compare(file.body as Buffer, bytes)).toBe(0);
  });
});

describe('listing torrents', () => {
  it('pages through all of them, each once, newest first', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `list-${i}`);
    for (const name of names) {
      await post({ metainfo: torrentFile(name).base64, contentPath: content, labels: ['listed'] }).expect(201);
    }
    // Two that differ only below the millisecond, which a JavaScript date can't tell apart.
    await api.admin.$executeRaw`
      UPDATE market.torrent SET "createdAt" = '2026-01-01T00:00:00.000001Z' WHERE name = 'list-0'`;
    await api.admin.$executeRaw`
      UPDATE market.torrent SET "createdAt" = '2026-01-01T00:00:00.000002Z' WHERE name = 'list-1'`;
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await get(`/v1/torrents?label=listed&limit=2${next}`).expect(200);
      const page = expectShape(torrentPage, body);
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...names].reverse());
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=x', 'limit'],
    ['cursor=nonsense', 'cursor'],
    [`cursor=${Buffer.from('["2026-01-01T00:00:00.000000Z","; DROP TABLE"]').toString('base64url')}`, 'cursor'],
    ['state=gone', 'state'],
    ['unknown=1', ''],
  ])('refuses ?%s', async (query, path) => {
    const { body } = await get(`/v1/torrents?${query}`).expect(400);
    expect(body).toMatchObject({ code: 'validation-failed', errors: [{ path }] });
  });
});

describe('changing a torrent', () => {
  it('pauses, resumes and removes it; a removed one can be added again', async () => {
    const file = torrentFile('changing');
    await post({ metainfo: file.base64, contentPath: content }).expect(201);
    const change = (body: object) =>
      request(api.url).patch(`/v1/torrents/${file.infoHash}`).set(as(api.key)).send(body);
    expect((await change({ state: 'paused' }).expect(200)).body.sale.state).toBe('paused');
    expect((await change({ state: 'active', labels: ['a', 'b'] }).expect(200)).body).toMatchObject({
      state: 'active',
      labels: ['a', 'b'],
    });
    expect((await change({ state: 'removed' }).expect(200)).body.sale.state).toBe('removed');
    await request(api.url).get(`/v1/market/torrents/${file.infoHash}/file.torrent`).expect(404);
    const listed = await get('/v1/torrents?state=removed').expect(200);
    expect(listed.body.items.map(({ infoHash }: { infoHash: string }) => infoHash)).toEqual([file.infoHash]);
    const again = await post({ metainfo: file.base64, contentPath: content }).expect(200);
    expect(again.body).toMatchObject({ state: 'active', labels: ['a', 'b'] });
  });

  it('refuses an empty change, an unknown torrent, and what is no infohash', async () => {
    const path = `/v1/torrents/${'0'.repeat(40)}`;
    expect((await request(api.url).patch(path).set(as(api.key)).send({}).expect(400)).body.code).toBe(
      'validation-failed',
    );
    const unknown = await request(api.url).patch(path).set(as(api.key)).send({ state: 'paused' }).expect(404);
    expect(unknown.body).toMatchObject({ code: 'torrent-not-found', infoHash: '0'.repeat(40) });
    expect((await get('/v1/torrents/xyz').expect(400)).body.errors[0].path).toBe('infoHash');
  });
});

describe('keys', () => {
  it('open nothing without one, and only what their scope allows', async () => {
    for (const authorization of [undefined, 'Bearer nonsense', `Bearer sfk_${'A'.repeat(43)}`, 'Basic abc']) {
      const asked = request(api.url).get('/v1/torrents');
      const answer = await (authorization === undefined ? asked : asked.set({ authorization })).expect(401);
      expect(answer.body.code).toBe('unauthenticated');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    const reader = await api.newKey(['read']);
    await request(api.url).get('/v1/torrents').set(as(reader)).expect(200);
    const refused = await post({ metainfo: torrentFile('no').base64, contentPath: content }, reader).expect(403);
    expect(refused.body).toMatchObject({ code: 'scope-missing', scope: 'operate' });
    const operator = await api.newKey(['read', 'operate']);
    const { infoHash } = torrentFile('book.epub');
    const offer = request(api.url).put(`/v1/torrents/${infoHash}/offer`).set(as(operator)).send({ priceSat: '1' });
    expect((await offer.expect(403)).body.scope).toBe('money');
  });

  it('are made, shown once, and revoked; the last administrator stays', async () => {
    const made = await request(api.url)
      .post('/v1/api-keys')
      .set(as(api.key))
      .send({ name: 'reports', scopes: ['read'] })
      .expect(201);
    await request(api.url).get('/v1/nodes').set(as(made.body.key)).expect(200);
    const listed = await get('/v1/api-keys').expect(200);
    expect(JSON.stringify(listed.body)).not.toContain(made.body.key);
    await request(api.url).delete(`/v1/api-keys/${made.body.id}`).set(as(api.key)).expect(204);
    await request(api.url).get('/v1/nodes').set(as(made.body.key)).expect(401);
    const stored = await api.admin.apiKey.findUniqueOrThrow({ where: { id: made.body.id } });
    expect(Buffer.from(stored.hash).toString()).not.toContain('sfk_');

    const admins = listed.body.items.filter(({ scopes }: { scopes: string[] }) => scopes.includes('money'));
    expect(admins).toHaveLength(1);
    const last = await request(api.url).delete(`/v1/api-keys/${admins[0].id}`).set(as(api.key)).expect(409);
    expect(last.body.code).toBe('last-admin-key');
  });
});

it('may not touch what other services own', async () => {
  await expect(api.own.$executeRaw`DELETE FROM channel.channel`).rejects.toThrow(/permission denied/);
  await expect(api.own.$executeRaw`UPDATE market.audit_entry SET actor = ''`).rejects.toThrow(/permission denied/);
});

function twoFiles(first: string[], second: string[]) {
  return {
    files: [first, second].map((path) => ({ length: (16_384 * 23) / 2, path })),
    length: 0,
  };
}

function binary(response: request.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('end', () => done(null, Buffer.concat(chunks)));
}
