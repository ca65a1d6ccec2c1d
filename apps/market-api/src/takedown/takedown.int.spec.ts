import {
  nodeAssignments,
  nodeRegister,
  takenDownAmong,
  takenDownContent,
  torrentMetainfo,
  torrentsTakenDown,
  type Bus,
} from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile, type TorrentFile } from '../testing/torrent-file.js';
import { takedownPage, takedownSchema, takenSchema } from './takedown.schemas.js';

let api: RunningMarketApi;
let bus: Bus;
const told: string[] = [];

const http = (method: 'get' | 'post' | 'patch', path: string, key = api.key) =>
  request(api.url)[method](path).set('authorization', `Bearer ${key}`);
const add = (file: TorrentFile) =>
  http('post', '/v1/torrents').send({ metainfo: file.base64, contentPath: '/srv/content' });
const takeDown = (hash: string, why = 'order 12/26') => http('post', '/v1/takedowns').send({ hash, why });
const lift = (hash: string) => http('post', `/v1/takedowns/${hash}/lift`).send({ why: 'the order was withdrawn' });
const withFile = (name: string, byte: number) => torrentFile(name, {}, { sha1: new Uint8Array(20).fill(byte) });
const stateOf = async ({ infoHash }: TorrentFile): Promise<string> =>
  (await http('get', `/v1/torrents/${infoHash}`).expect(200)).body.state;

async function assigned(): Promise<string[]> {
  const answer = await bus.request(nodeAssignments, { nodeId: 'a', after: null });
  if (!answer.ok) throw new Error(answer.code);
  return answer.value.torrents.map(({ infoHash }) => infoHash);
}

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  bus = await api.busOf('swarm-node');
  bus.subscribe(torrentsTakenDown, [], ({ infoHashes }) => void told.push(...infoHashes));
  const registered = await bus.request(nodeRegister, { nodeId: 'a', peerAddress: '192.0.2.1:7881', version: '1' });
  expect(registered.ok).toBe(true);
});
afterAll(() => api.stop());

it('takes a torrent from the nodes and the market at once, tells the fleet, and keeps it out', async () => {
  const [wanted, other] = [torrentFile('wanted'), torrentFile('other')];
  for (const file of [wanted, other]) await add(file).expect(201);
  expect((await assigned()).sort()).toEqual([wanted.infoHash, other.infoHash].sort());
  const { infoHash } = wanted;
  const answer = await takeDown(infoHash.toUpperCase()).expect(200);
  expect(expectShape(takenSchema, answer.body)).toMatchObject({ hash: infoHash, removed: 1, lifted: null });
  await expect.poll(() => told).toEqual([infoHash]);
  expect(await api.admin.placement.count({ where: { infoHash } })).toBe(0);
  expect(await assigned()).toEqual([other.infoHash]);
  const metainfo = await bus.request(torrentMetainfo, { infoHash, offsetBytes: 0 });
  expect(metainfo).toMatchObject({ ok: true, value: { found: false } });
  await request(api.url).get(`/v1/market/torrents/${infoHash}`).expect(404);
  await request(api.url).get(`/v1/market/torrents/${infoHash}/file.torrent`).expect(404);

  expect((await add(wanted).expect(409)).body).toMatchObject({ code: 'taken-down', hash: infoHash });
  for (const state of ['active', 'paused']) {
    const refused = await http('patch', `/v1/torrents/${infoHash}`).send({ state }).expect(409);
    expect(refused.body.code).toBe('taken-down');
  }
  expect(await stateOf(wanted)).toBe('removed');
  const audit = await api.admin.auditEntry.findMany({ where: { target: infoHash }, orderBy: { id: 'asc' } });
  expect(audit.map(({ action }) => action)).toEqual(['torrent.add', 'takedown.set', 'torrent.takedown']);
  expect(audit[2]).toMatchObject({ actor: answer.body.by, data: { hash: infoHash, why: 'order 12/26' } });
  // Said again: as it was said first, and the nodes hear it again.
  const again = await takeDown(infoHash, 'something else').expect(200);
  expect(again.body).toEqual({ ...answer.body, removed: 0 });
  await expect.poll(() => told).toEqual([infoHash, infoHash]);
});

it('takes all torrents that tell of a file, also those stored before hashes were read', async () => {
  const sha1 = '07'.repeat(20);
  const [one, old, innocent] = [withFile('one', 7), withFile('old', 7), withFile('innocent', 8)];
  for (const file of [one, old, innocent]) await add(file).expect(201);
  await api.admin.$executeRaw`UPDATE market.torrent SET "fileHashes" = NULL WHERE "infoHash" = ${old.infoHash}`;
  expect((await takeDown(sha1).expect(200)).body.removed).toBe(2);
  expect([await stateOf(one), await stateOf(old), await stateOf(innocent)]).toEqual(['removed', 'removed', 'active']);
  expect((await add(withFile('renamed', 7)).expect(409)).body).toMatchObject({ code: 'taken-down', hash: sha1 });

  const inForce = expectShape(takedownPage, (await http('get', '/v1/takedowns?inForce=true').expect(200)).body);
  expect(inForce.items[0]).toMatchObject({ hash: sha1, why: 'order 12/26' });
  const lifted = expectShape(takedownSchema, (await lift(sha1).expect(200)).body);
  expect(lifted.lifted).toMatchObject({ why: 'the order was withdrawn', by: lifted.by });
  expect((await lift(sha1).expect(404)).body.code).toBe('takedown-not-found');
  expect(await stateOf(one)).toBe('removed');
  await add(one).expect(200);
  expect(await stateOf(one)).toBe('active');
  // One hash can be taken down anew; the list keeps both.
  expect((await takeDown(sha1).expect(200)).body.removed).toBe(1);
  const all = expectShape(takedownPage, (await http('get', '/v1/takedowns?limit=500').expect(200)).body);
  expect(all.items.filter(({ hash }) => hash === sha1).map((item) => item.lifted === null)).toEqual([true, false]);
});

it('tells nodes whose content is to go, notes what they did, and never shows the query of an address', async () => {
  const [fetched, own, other] = [torrentFile('fetched'), withFile('own', 9), torrentFile('innocent-2')];
  const address = 'https://store.example/fetched?sig=secret';
  const added = await http('post', '/v1/torrents').send({ metainfo: fetched.base64, contentPath: address }).expect(201);
  expect(added.body.contentPath).toBe('https://store.example/fetched?…');
  for (const file of [own, other]) await add(file).expect(201);
  const wrong = { metainfo: fetched.base64, contentPath: 'https://user:pass@store.example/x' };
  expect((await http('post', '/v1/torrents').send(wrong).expect(400)).body.code).toBe('validation-failed');
  const page = await bus.request(nodeAssignments, { nodeId: 'a', after: null });
  const given = page.ok ? page.value.torrents.find(({ infoHash }) => infoHash === fetched.infoHash) : undefined;
  expect(given?.contentPath).toBe(address);

  const sha1 = '09'.repeat(20);
  await takeDown(fetched.infoHash).expect(200);
  await takeDown(sha1).expect(200);
  const asked = { nodeId: 'a', infoHashes: [fetched, own, other].map(({ infoHash }) => infoHash) };
  const among = async () => {
    const answer = await bus.request(takenDownAmong, asked);
    if (!answer.ok) throw new Error(answer.code);
    return new Map(answer.value.takenDown.map(({ infoHash, deleteOwn }) => [infoHash, deleteOwn]));
  };
  const expected = new Map([
    [fetched.infoHash, false],
    [own.infoHash, false],
  ]);
  expect(await among()).toEqual(expected);
  const more = await http('post', '/v1/takedowns').send({ hash: sha1, why: 'all of it', deleteContent: true });
  expect(more.body).toMatchObject({ deleteContent: true, why: 'order 12/26', removed: 0 });
  expect(await among()).toEqual(expected.set(own.infoHash, true));
  const report = { nodeId: 'a', infoHash: fetched.infoHash, deletedBytes: 7, leftAt: '', problem: '' };
  expect((await bus.request(takenDownContent, report)).ok).toBe(true);
  const audit = await api.admin.auditEntry.findMany({ where: { target: fetched.infoHash }, orderBy: { id: 'asc' } });
  expect(audit.at(-1)).toMatchObject({ actor: 'node:a', action: 'takedown.content', data: { deletedBytes: 7 } });
  expect(JSON.stringify(audit.map(({ data }) => data))).not.toContain('secret');
  // Another lift than the torrent's own does not bring it back; its own ends the order for its content.
  await lift(sha1).expect(200);
  expect([...(await among()).keys()]).toEqual([fetched.infoHash]);
});

it('overlooks no torrent that is added in the same moment', async () => {
  for (let round = 0; round < 5; round += 1) {
    const file = torrentFile(`rush-${round}`);
    const asked = [add(file), add(file), takeDown(file.infoHash), add(file)];
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect([200, 201, 409]).toEqual(expect.arrayContaining([...new Set(statuses)]));
    expect(await api.admin.torrent.count({ where: { infoHash: file.infoHash, state: { not: 'removed' } } })).toBe(0);
    expect(await api.admin.placement.count({ where: { infoHash: file.infoHash } })).toBe(0);
  }
});

it('is for operators, asks for a hash and a reason, and keeps what was', async () => {
  const reader = await api.newKey(['read']);
  const body = { hash: '0'.repeat(40), why: 'x' };
  const refused = await http('post', '/v1/takedowns', reader).send(body).expect(403);
  expect(refused.body).toMatchObject({ code: 'scope-missing', scope: 'operate' });
  for (const wrong of [
    { ...body, hash: '0'.repeat(41) },
    { ...body, hash: 'x'.repeat(40) },
    { ...body, why: ' ' },
  ]) {
    expect((await http('post', '/v1/takedowns').send(wrong).expect(400)).body.code).toBe('validation-failed');
  }
  await expect(api.own.$executeRaw`DELETE FROM market.takedown`).rejects.toThrow(/permission denied/);
});
