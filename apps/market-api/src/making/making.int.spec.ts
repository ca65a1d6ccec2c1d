import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo } from '@seedfleet/bittorrent';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import type { MakingView } from './making.schemas.js';

let api: RunningMarketApi;
let folder: string;
let root: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'making-api-'));
  root = join(folder, 'root');
  await mkdir(join(root, 'album', 'disc 1'), { recursive: true });
  await writeFile(join(root, 'album', 'disc 1', 'a.flac'), 'a'.repeat(50_000));
  await writeFile(join(root, 'album', 'cover.png'), 'b'.repeat(3_000));
  await writeFile(join(folder, 'secret'), 'secret');
  await symlink(join(folder, 'secret'), join(root, 'link'));
  await symlink(folder, join(root, 'out'));
  const contentRoots = [{ path: root, onNodes: '/content' }];
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'), { contentRoots });
});
afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true, force: true });
});

const make = (body: object, key = api.key) =>
  request(api.url).post('/v1/makings').set('authorization', `Bearer ${key}`).send(body);
const get = (path: string) => request(api.url).get(path).set('authorization', `Bearer ${api.key}`);

async function ended(id: string): Promise<MakingView> {
  return vi.waitFor(
    async () => {
      const { body } = await get(`/v1/makings/${id}`).expect(200);
      const making = body as MakingView;
      expect(['done', 'failed', 'cancelled']).toContain(making.state);
      return making;
    },
    { timeout: 40_000, interval: 100 },
  );
}

describe('torrents made from content', () => {
  it('makes one of a folder, and adds it where nodes find it', async () => {
    const path = join(root, 'album');
    const asked = { path, private: true, labels: ['new'], tier: 'lossless' };
    const answer = await make(asked).expect(202);
    const made = await ended((answer.body as MakingView).id);
    expect(answer.headers['location']).toBe(`/v1/makings/${made.id}`);
    expect(made).toMatchObject({
      state: 'done',
      files: 2,
      hashedBytes: 53_000,
      pieceLengthBytes: 16_384,
      problem: null,
    });
    const expected = parseMetainfo(await createMetainfo(path, { pieceLengthBytes: 16_384, isPrivate: true }));
    const torrent = (await get(`/v1/torrents/${made.infoHash}`).expect(200)).body as object;
    expect(torrent).toMatchObject({ contentPath: '/content/album', private: true, tier: 'lossless', labels: ['new'] });
    if (expected.ok && expected.value.files[0]?.path[0] === 'cover.png')
      expect(made.infoHash).toBe(expected.value.infoHash);
    const metainfo = await api.own.torrent.findUniqueOrThrow({ where: { infoHash: made.infoHash ?? '' } });
    expect(parseMetainfo(metainfo.metainfo)).toMatchObject({ ok: true, value: { isPrivate: true, name: 'album' } });
    const audited = await api.own.auditEntry.findMany({ where: { action: { in: ['making.create', 'torrent.add'] } } });
    expect(audited.map(({ action }) => action).sort()).toEqual(['making.create', 'torrent.add']);
    expect(((await get('/v1/makings?state=done').expect(200)).body as { items: unknown[] }).items).toHaveLength(1);
  });

  it.each<[string, () => string, string]>([
    ['outside', () => join(folder, 'secret'), 'content-outside-roots'],
    ['outside, where nothing is', () => join(folder, 'nothing'), 'content-outside-roots'],
    ['up from inside', () => `${root}/album/../../secret`, 'content-outside-roots'],
    ['a sibling that begins alike', () => `${root}2/x`, 'content-outside-roots'],
    ['the root itself', () => root, 'content-outside-roots'],
    ['a link to a file', () => join(root, 'link'), 'content-symlink'],
    ['through a link', () => join(root, 'out', 'secret'), 'content-symlink'],
    ['nothing', () => join(root, 'nothing'), 'content-missing'],
  ])('refuses %s', async (_what, path, code) => {
    const { body } = await make({ path: path() }).expect(422);
    const { code: given, reason, detail } = body as { code: string; reason?: string; detail: string };
    expect(reason ?? given).toBe(code);
    expect(detail).not.toContain('ENOENT');
    expect(await api.own.making.count({ where: { path: path() } })).toBe(0);
  });

  it('tells why one failed, and needs the scopes', async () => {
    await mkdir(join(root, 'holed'));
    await symlink('/etc/passwd', join(root, 'holed', 'x'));
    await mkdir(join(root, 'void'));
    const ids: string[] = [];
    for (const name of ['holed', 'void'])
      ids.push(((await make({ path: join(root, name) }).expect(202)).body as MakingView).id);
    expect(await ended(ids[0] ?? '')).toMatchObject({ state: 'failed', problem: 'content-symlink', infoHash: null });
    expect(await ended(ids[1] ?? '')).toMatchObject({ state: 'failed', problem: 'content-empty' });
    await make({ path: join(root, 'album') }, await api.newKey(['read'])).expect(403);
    await make({ path: join(root, 'album'), tier: 'high' }, await api.newKey(['operate'])).expect(403);
    for (const wrong of [{}, { path: 'album' }, { path: root, name: 'a/b' }, { path: root, pieceLengthBytes: 20_000 }])
      await make(wrong).expect(400);
  });

  it('answers requests while it hashes, shows how far it is, and stops when called off', async () => {
    await writeFile(join(root, 'large'), '');
    await truncate(join(root, 'large'), 6 * 1024 ** 3);
    const { id } = (await make({ path: join(root, 'large') }).expect(202)).body as MakingView;
    await vi.waitFor(
      async () => expect(((await get(`/v1/makings/${id}`)).body as MakingView).hashedBytes).toBeGreaterThan(0),
      { timeout: 30_000, interval: 50 },
    );
    const startMs = performance.now();
    await get('/v1/torrents').expect(200);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    const cancel = () => request(api.url).delete(`/v1/makings/${id}`).set('authorization', `Bearer ${api.key}`);
    await cancel().expect(200);
    expect(await ended(id)).toMatchObject({ state: 'cancelled', infoHash: null });
    await cancel().expect(200);
    const next = (await make({ path: join(root, 'album', 'cover.png'), name: 'renamed' }).expect(202))
      .body as MakingView;
    const done = await ended(next.id);
    expect(await get(`/v1/torrents/${done.infoHash}`)).toMatchObject({
      body: { name: 'renamed', contentPath: '/content/album/cover.png' },
    });
    const over = await request(api.url).delete(`/v1/makings/${next.id}`).set('authorization', `Bearer ${api.key}`);
    expect(over).toMatchObject({ status: 409, body: { code: 'making-over' } });
    await get('/v1/makings/999999').expect(404);
  }, 90_000);

  it('takes over what a dead process left, but not for ever', async () => {
    const claimedUntil = new Date(Date.now() - 1_000);
    const left = { path: join(root, 'album'), actor: 'key:x', state: 'hashing', claimedUntil };
    const again = await api.own.making.create({ data: { ...left, claims: 1 } });
    const often = await api.own.making.create({ data: { ...left, claims: 3 } });
    expect(await ended(String(again.id))).toMatchObject({ state: 'done' });
    expect(await ended(String(often.id))).toMatchObject({ state: 'failed', problem: 'making-failed' });
  });

  it('lists roots and folders without following links', async () => {
    expect((await get('/v1/content').expect(200)).body).toMatchObject({ path: null, entries: [{ path: root }] });
    const page = await get(`/v1/content?path=${encodeURIComponent(root)}&limit=2`).expect(200);
    const inside = await get(`/v1/content?path=${encodeURIComponent(join(root, 'album', 'disc 1'))}`).expect(200);
    expect([page.body, inside.body]).toMatchObject([{ parent: null }, { parent: join(root, 'album') }]);
    expect(page.body).toMatchObject({ entries: [{ name: 'album', kind: 'folder' }, { kind: 'folder' }] });
    const all = (await get(`/v1/content?path=${encodeURIComponent(root)}`).expect(200)).body as {
      entries: { name: string; kind: string }[];
    };
    expect(all.entries.find(({ name }) => name === 'out')?.kind).toBe('other');
    await get(`/v1/content?path=${encodeURIComponent(join(root, 'out'))}`).expect(422);
    await get(`/v1/content?path=${encodeURIComponent(join(root, 'album', 'cover.png'))}`).expect(422);
    await get(`/v1/content?path=${encodeURIComponent(folder)}`).expect(422);
  });
});
