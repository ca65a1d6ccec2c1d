import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';

/** Who gets in, how often, and what is remembered of them. */

let api: RunningMarketApi;
const file = torrentFile('Guarded', { pieceLength: 65_536, pieceCount: 1_000 });
const as = (key = api.key) => ({ authorization: `Bearer ${key}` });

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const body = { metainfo: file.base64, contentPath: '/srv/guarded' };
  await request(api.url).post('/v1/torrents').set(as()).send(body).expect(201);
});
afterAll(() => api.stop());
beforeEach(() => api.admin.signInFailure.deleteMany());

describe('sessions', () => {
  const signIn = (key = api.key) => request(api.url).post('/v1/session').set('origin', api.url).send({ key });
  const cookieOf = async (): Promise<string> => {
    const answer = await signIn().expect(201);
    return String(answer.headers['set-cookie']?.[0]).split(';')[0] ?? '';
  };

  it('trade a key for a cookie that scripts and other sites can’t use', async () => {
    const answer = await signIn().expect(201);
    const [cookie] = answer.headers['set-cookie'] as unknown as string[];
    expect(cookie).toMatch(/^seedfleet_session=[\w-]{43}; Path=\/v1; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    expect(answer.body).toMatchObject({ scopes: ['read', 'operate', 'money'] });
    expect(answer.text).not.toContain(api.key);
    const who = await request(api.url)
      .get('/v1/session')
      .set('cookie', cookie ?? '')
      .expect(200);
    expect(who.body.session).toEqual(answer.body.session);
  });

  it('take writes only from our own page', async () => {
    const cookie = await cookieOf();
    const patch = () => request(api.url).patch(`/v1/torrents/${file.infoHash}`).set('cookie', cookie);
    for (const origin of [undefined, 'https://evil.example', 'null']) {
      const asked = origin === undefined ? patch() : patch().set('origin', origin);
      expect((await asked.send({ labels: ['stolen'] }).expect(403)).body.code).toBe('cross-site');
    }
    await patch()
      .set('origin', api.url)
      .send({ labels: ['mine'] })
      .expect(200);
    const answer = await request(api.url)
      .post('/v1/session')
      .set('origin', 'https://evil.example')
      .send({ key: api.key });
    expect(answer.body.code).toBe('cross-site');
  });

  it('end on signing out, with their key, and by themselves', async () => {
    const [signedOut, ofRevoked, idle] = [await cookieOf(), await api.newKey(['read', 'operate']), await cookieOf()];
    const opened = await signIn(ofRevoked).expect(201);
    const other = String(opened.headers['set-cookie']?.[0]).split(';')[0] ?? '';
    await request(api.url).get('/v1/torrents').set('cookie', other).expect(200);
    await request(api.url).delete('/v1/session').set({ cookie: signedOut, origin: api.url }).expect(204);
    await request(api.url).delete(`/v1/api-keys/${opened.body.keyId}`).set(as()).expect(204);
    const past = new Date(Date.now() - 13 * 3_600_000);
    await api.admin.session.updateMany({ data: { lastUsedAt: past } });
    for (const cookie of [signedOut, other, idle]) {
      await request(api.url).get('/v1/torrents').set('cookie', cookie).expect(401);
    }
  });

  it('make whoever tries keys wait, longer each time', async () => {
    for (let tried = 0; tried < 6; tried += 1) await signIn(`sfk_${'x'.repeat(43)}`).expect(401);
    const locked = await signIn().expect(429);
    expect(locked.body).toMatchObject({ code: 'sign-in-locked', waitS: 2 });
    expect(locked.headers['retry-after']).toBe('2');
    await api.admin.signInFailure.updateMany({ data: { lockedUntil: new Date() } });
    await signIn('nonsense').expect(401);
    expect((await signIn().expect(429)).body.waitS).toBe(4);
    await api.admin.signInFailure.updateMany({ data: { lockedUntil: new Date() } });
    await signIn().expect(201);
    expect(await api.admin.signInFailure.count()).toBe(0);
  });
});

describe('keys', () => {
  it('expire, tell when they were used, and keep the last administrator in', async () => {
    const create = (body: object) => request(api.url).post('/v1/api-keys').set(as()).send(body);
    const past = new Date(Date.now() - 1_000).toISOString();
    expect((await create({ name: 'late', scopes: ['read'], expiresAt: past }).expect(400)).body.code).toBe(
      'validation-failed',
    );
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await create({ name: 'guest', scopes: ['money', 'read'], expiresAt }).expect(201);
    expect(body).toMatchObject({ expiresAt, lastUsedAt: null, state: 'active' });
    await request(api.url).get('/v1/fleet').set(as(body.key)).expect(200);
    const listed = await request(api.url).get('/v1/api-keys?limit=1&state=active').set(as()).expect(200);
    expect(listed.body.items).toEqual([expect.objectContaining({ id: body.id, lastUsedAt: expect.any(String) })]);
    expect(listed.body.nextCursor).not.toBeNull();
    expect(listed.text).not.toContain(body.key);
    await api.admin.apiKey.update({ where: { id: body.id }, data: { expiresAt: past } });
    // Changed behind this process's back, as another process would.
    const status = async () => (await request(api.url).get('/v1/fleet').set(as(body.key))).status;
    await expect.poll(status, { timeout: 30_000 }).toBe(401);
    const expired = await request(api.url).get('/v1/api-keys?state=expired').set(as()).expect(200);
    expect(expired.body.items).toHaveLength(1);
    const who = await request(api.url).get('/v1/session').set(as()).expect(200);
    const last = await request(api.url).delete(`/v1/api-keys/${who.body.keyId}`).set(as()).expect(409);
    expect(last.body.code).toBe('last-admin-key');
  });

  it('are replaced and revoked with everything that was made with them', async () => {
    const use = (key: string, status: number) => request(api.url).get('/v1/fleet').set(as(key)).expect(status);
    const make = async (by: string) =>
      (
        await request(api.url)
          .post('/v1/api-keys')
          .set(as(by))
          .send({ name: 'k', scopes: ['money', 'read'] })
      ).body;
    const rotate = (id: string, body: object, by = api.key) =>
      request(api.url).post(`/v1/api-keys/${id}/rotate`).set(as(by)).send(body);
    const leaked = await make(api.key);
    const planted = await make(leaked.key);
    const deeper = await make(planted.key);
    const cookie = await request(api.url).post('/v1/session').set('origin', api.url).send({ key: leaked.key });
    const { body } = await rotate(leaked.id, {}).expect(201);
    expect(body).toMatchObject({ name: 'k', scopes: ['money', 'read'], revoked: [leaked.id] });
    await use(leaked.key, 401);
    await use(body.key, 200);
    await use(planted.key, 200);
    await request(api.url).get('/v1/fleet').set('cookie', String(cookie.headers['set-cookie']?.[0])).expect(401);
    expect((await rotate(leaked.id, {}).expect(409)).body.code).toBe('api-key-ended');
    await request(api.url).delete(`/v1/api-keys/${leaked.id}?made=true`).set(as()).expect(204);
    await use(planted.key, 401);
    await use(deeper.key, 401);
    await use(body.key, 200);

    const root = await make(api.key);
    const child = await make(root.key);
    const renewed = (await rotate(root.id, { made: true }, child.key).expect(201)).body;
    expect(new Set(renewed.revoked)).toEqual(new Set([root.id, child.id]));
    await use(child.key, 401);
    await use(renewed.key, 200);
    const written = await request(api.url).get(`/v1/audit?target=${renewed.id}`).set(as()).expect(200);
    expect(written.body.items).toMatchObject([{ action: 'api-key.create', data: { replaces: root.id } }]);
  });

  it('are told how much they may ask', async () => {
    const answer = await request(api.url).get('/v1/fleet').set(as()).expect(200);
    expect(answer.headers).toMatchObject({ 'ratelimit-limit': '2000', 'ratelimit-remaining': expect.any(String) });
    const stranger = await request(api.url).get('/v1/fleet').expect(401);
    expect(stranger.headers['ratelimit-limit']).toBe('100');
  });
});

describe('writes', () => {
  const path = `/v1/torrents/${file.infoHash}/offer`;
  const put = (idempotencyKey: string, priceSat: string, key = api.key) =>
    request(api.url).put(path).set(as(key)).set('idempotency-key', idempotencyKey).send({ priceSat });

  it('are made once per Idempotency-Key, and answered again', async () => {
    const first = await put('one', '9').expect(200);
    const again = await put('one', '9').expect(200);
    expect(again.body).toEqual(first.body);
    expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true', etag: first.headers['etag'] });
    expect(await api.admin.offer.count()).toBe(1);
    expect((await put('one', '10').expect(422)).body.code).toBe('idempotency-key-reused');
    // Another's key of the same name is another key.
    await put('one', '10', await api.newKey(['money'])).expect(200);
    expect((await put('bad key', '9').expect(400)).body.code).toBe('validation-failed');
    // Refused, so nothing happened, so it may be tried again.
    await put('two', '0').expect(400);
    await put('two', '11').expect(200);
  });

  it('of many that repeat at once are made once', async () => {
    const before = await api.admin.offer.count();
    const answers = await Promise.all(Array.from({ length: 8 }, () => put('crowd', '12')));
    for (const { status, body } of answers) {
      expect([200, 409]).toContain(status);
      if (status === 409) expect(body.code).toBe('idempotency-unanswered');
    }
    expect(await api.admin.offer.count()).toBe(before + 1);
  });

  it('give a new key’s secret again only to who asked first, and store it unreadable', async () => {
    const ask = () =>
      request(api.url)
        .post('/v1/api-keys')
        .set(as())
        .set('idempotency-key', 'new-key')
        .send({ name: 'n', scopes: ['read'] });
    const { body } = await ask().expect(201);
    expect((await ask().expect(201)).body.key).toBe(body.key);
    const stored = await api.admin.repeatableWrite.findMany();
    for (const { answer } of stored) expect(Buffer.from(answer ?? []).toString('latin1')).not.toContain(body.key);
  });

  it('are refused when the thing has changed since it was read', async () => {
    const read = await request(api.url).get(path).set(as()).expect(200);
    const etag = read.headers['etag'] ?? '';
    await request(api.url).get(path).set(as()).set('if-none-match', etag).expect(304);
    const write = (tag: string, priceSat: string) =>
      request(api.url).put(path).set(as()).set('if-match', tag).send({ priceSat });
    const written = await write(etag, '21').expect(200);
    expect(written.headers['etag']).not.toBe(etag);
    const stale = await write(etag, '22').expect(412);
    expect(stale.body).toMatchObject({ code: 'precondition-failed', version: written.body.effective.version });
    await write('"nonsense"', '22').expect(412);
    await write('*', '23').expect(200);
    const torrent = await request(api.url).get(`/v1/torrents/${file.infoHash}`).set(as()).expect(200);
    const patch = (tag: string) =>
      request(api.url)
        .patch(`/v1/torrents/${file.infoHash}`)
        .set(as())
        .set('if-match', tag)
        .send({ labels: ['a'] });
    await patch(torrent.headers['etag'] ?? '').expect(200);
    await patch(torrent.headers['etag'] ?? '').expect(412);
  });

  it('are in the audit log, which filters and pages', async () => {
    const list = async (query: string) => (await request(api.url).get(`/v1/audit?${query}`).set(as()).expect(200)).body;
    const offers = await list(`action=offer.set&target=${file.infoHash}&limit=2`);
    expect(offers.items).toHaveLength(2);
    expect(offers.items[0]).toMatchObject({ data: { priceSat: '23' }, actorName: 'test' });
    const next = await list(`action=offer.set&limit=2&cursor=${offers.nextCursor}`);
    expect(BigInt(next.items[0].id)).toBeLessThan(BigInt(offers.items[1].id));
    expect((await list(`until=2001-01-01T00:00:00Z`)).items).toEqual([]);
    expect((await list('action=session.open')).items.length).toBeGreaterThan(0);
    await expect(api.own.auditEntry.deleteMany()).rejects.toThrow();
  });
});
