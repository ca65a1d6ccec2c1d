import {
  METAINFO_PART_BYTES,
  nodeAssignments,
  nodeHeartbeat,
  nodeRegister,
  nodeRelease,
  seedingReport,
  torrentMetainfo,
  type Bus,
  type RequestContract,
} from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { torrentFile, type TorrentFile } from '../testing/torrent-file.js';
import { torrentDetailSchema } from '../torrents/torrent.schemas.js';
import { PAGE_TORRENTS } from './assignments.js';
import { nodeList } from './node.schemas.js';
import { quarantineList } from './quarantine.schemas.js';

let api: RunningMarketApi;
let bus: Bus;
const nodeId = 'node-1';
const peerAddress = '127.0.0.1:7881';
const beat = {
  nodeId,
  peerAddress,
  connections: 3,
  activeChannels: 2,
  joinedChannels: 1,
  piecesSold: 40,
  bytesSold: 655_360,
  exposureBytes: 16_384,
  draining: false,
};

const http = (method: 'get' | 'post' | 'put' | 'patch', path: string) =>
  request(api.url)[method](path).set('authorization', `Bearer ${api.key}`);

const add = async (file: TorrentFile, contentPath = '/srv/x'): Promise<void> => {
  await http('post', '/v1/torrents').send({ metainfo: file.base64, contentPath }).expect(201);
};

async function ask<Q extends z.ZodType, A extends z.ZodType>(
  contract: RequestContract<Q, A>,
  value: z.output<Q>,
): Promise<z.output<A>> {
  const answer = await bus.request(contract, value);
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.detail}`);
  return answer.value;
}

/** News arrive when they arrive. */
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 100 });

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  bus = await api.busOf('swarm-node');
});
afterAll(() => api.stop());

describe('a node', () => {
  it('registers, beats, and is seen', async () => {
    expect(await ask(nodeRegister, { nodeId, peerAddress, version: '0.1.0' })).toEqual({ accepted: true });
    bus.publish(nodeHeartbeat, [], beat);
    await soon(async () => {
      const { items } = expectShape(nodeList, (await http('get', '/v1/nodes').expect(200)).body);
      const { nodeId: _, peerAddress: __, ...stats } = beat;
      expect(items).toMatchObject([{ id: nodeId, peerAddress, state: 'up', version: '0.1.0', stats }]);
    });
    expect((await http('get', '/v1/fleet').expect(200)).body).toMatchObject({
      nodes: { up: 1 },
      work: { connections: 3, activeChannels: 2, exposureBytes: 16_384 },
    });
  });

  it('that is not heard of counts as silent, and so do its torrents', async () => {
    const file = torrentFile('silent');
    await add(file);
    await ask(seedingReport, {
      nodeId,
      reports: [{ infoHash: file.infoHash, state: 'on-sale', progress: 1, detail: '' }],
    });
    const sale = async () => (await http('get', `/v1/torrents/${file.infoHash}`)).body.sale;
    expect(await sale()).toMatchObject({ state: 'on-sale', nodesOnSale: 1 });
    await api.admin.node.update({ where: { id: nodeId }, data: { lastSeenAt: new Date(Date.now() - 60_000) } });
    expect(await sale()).toMatchObject({ state: 'waiting', detail: 'its nodes are not heard of' });
    expect((await http('get', '/v1/nodes')).body.items[0].state).toBe('silent');
    bus.publish(nodeHeartbeat, [], beat);
    await soon(async () => expect((await sale()).state).toBe('on-sale'));
  });

  it('reports progress and trouble, which reach the operator in its own words', async () => {
    const file = torrentFile('reported');
    await add(file);
    const report = (state: 'verifying' | 'missing', progress: number, detail: string) =>
      ask(seedingReport, { nodeId, reports: [{ infoHash: file.infoHash, state, progress, detail }] });
    await report('verifying', 0.5, '');
    const verifying = (await http('get', `/v1/torrents/${file.infoHash}`).expect(200)).body;
    expect(expectShape(torrentDetailSchema, verifying)).toMatchObject({
      sale: { state: 'verifying', progress: 0.5 },
      nodes: [{ nodeId, peerAddress, nodeAlive: true, state: 'verifying', progress: 0.5 }],
    });
    await report('missing', 0, 'no file at /srv/x');
    const missing = (await http('get', `/v1/torrents/${file.infoHash}`).expect(200)).body;
    expect(missing.sale).toMatchObject({ state: 'missing', detail: 'no file at /srv/x' });
    // Added again, the fault is forgotten until a node finds it again.
    const again = await http('post', '/v1/torrents').send({ metainfo: file.base64, contentPath: '/srv/x' }).expect(200);
    expect(again.body.sale.state).toBe('waiting');
  });

  it('may say anything of torrents that are not there', async () => {
    const infoHash = 'e'.repeat(40);
    const reports = [
      { infoHash, state: 'on-sale' as const, progress: 1, detail: '' },
      { infoHash, state: 'failed' as const, progress: 0, detail: 'twice, with a \0 in it' },
    ];
    expect(await ask(seedingReport, { nodeId, reports })).toEqual({});
    expect(await ask(seedingReport, { nodeId: 'stranger', reports })).toEqual({});
    expect(await api.admin.seeding.count({ where: { infoHash } })).toBe(0);
  });

  it('is refused with a code when its message makes no sense', async () => {
    const unchecked = { ...nodeRegister, request: z.unknown(), reply: z.unknown() };
    const reply = await bus.request(unchecked, { nodeId: 'UPPER' });
    expect(reply).toMatchObject({ ok: false, code: 'invalid_message' });
    expect(api.refused).toContainEqual(
      expect.objectContaining({ code: 'invalid_message', subject: nodeRegister.subject }),
    );
  });
});

describe('assignments', () => {
  it('give every active torrent with its terms, and a declined one paused', async () => {
    const good = torrentFile('good', { pieceLength: 131_072, pieceCount: 987 });
    const hopeless = torrentFile('hopeless', { pieceLength: 131_072, pieceCount: 986 });
    const gone = torrentFile('gone');
    for (const file of [good, hopeless, gone]) await add(file, '/srv/content');
    await http('put', `/v1/torrents/${good.infoHash}/offer`)
      .send({ priceSat: '6', lockUnits: 30, freeTier: { bytesPerDay: 2_000, bytesPerPeerDay: 1_000 } })
      .expect(200);
    await http('put', `/v1/torrents/${hopeless.infoHash}/offer`).send({ priceSat: '1' }).expect(200);
    await http('patch', `/v1/torrents/${gone.infoHash}`).send({ state: 'removed' }).expect(200);
    const { torrents, complete } = await ask(nodeAssignments, { nodeId, after: null });
    expect(complete).toBe(true);
    const by = (file: TorrentFile) => torrents.find(({ infoHash }) => infoHash === file.infoHash);
    expect(by(good)).toMatchObject({
      state: 'active',
      version: 1,
      metainfoBytes: good.bytes.length,
      contentPath: '/srv/content',
      offer: {
        version: 1,
        priceSat: 6n,
        lockUnits: 30,
        settlementFeeSat: null,
        minContractFeePerKbSat: 1_024n,
        maxSellers: 5,
        freeTier: { bytesPerDay: 2_000, bytesPerPeerDay: 1_000 },
      },
    });
    expect(by(hopeless)?.state).toBe('paused');
    expect(by(gone)).toBeUndefined();
  });

  it('come in pages that together hold every torrent once', async () => {
    const rows = Array.from({ length: PAGE_TORRENTS + 5 }, (_, i) => ({
      infoHash: `ff${i.toString(16).padStart(38, '0')}`,
      name: `page ${i}`,
      pieceLength: 16_384,
      pieceCount: 23,
      totalBytes: 376_832n,
      metainfo: new Uint8Array([1]),
      contentPath: `/${'ü'.repeat(1_000)}`,
    }));
    await api.admin.torrent.createMany({ data: rows });
    const seen: string[] = [];
    for (let after: string | null = null, complete = false; !complete; after = seen.at(-1) ?? null) {
      const page: z.output<typeof nodeAssignments.reply> = await ask(nodeAssignments, { nodeId, after });
      seen.push(...page.torrents.map(({ infoHash }) => infoHash));
      complete = page.complete;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual([...seen].sort());
    expect(seen).toEqual(expect.arrayContaining(rows.map(({ infoHash }) => infoHash)));
  });

  it('hand out the .torrent file in parts', async () => {
    const file = torrentFile('large', { pieceCount: 60_000 });
    await add(file);
    const parts: Uint8Array[] = [];
    for (let offsetBytes = 0; ;) {
      const { found, part, totalBytes } = await ask(torrentMetainfo, { infoHash: file.infoHash, offsetBytes });
      expect(found).toBe(true);
      expect(totalBytes).toBe(file.bytes.length);
      expect(part.length).toBeLessThanOrEqual(METAINFO_PART_BYTES);
      parts.push(part);
      offsetBytes += part.length;
      if (offsetBytes >= totalBytes) break;
    }
    expect(parts.length).toBe(3);
    expect(Buffer.compare(Buffer.concat(parts), file.bytes)).toBe(0);
    const beyond = await ask(torrentMetainfo, { infoHash: file.infoHash, offsetBytes: Number.MAX_SAFE_INTEGER });
    expect(beyond).toMatchObject({ found: true, part: new Uint8Array(0) });
    const unknown = await ask(torrentMetainfo, { infoHash: '0'.repeat(40), offsetBytes: 0 });
    expect(unknown.found).toBe(false);
  });
});

it('a quarantined node is released by channel-service, at the word of somebody who handles money, and on record', async () => {
  await api.admin.quarantinedNode.create({ data: { nodeId: 'node-9', reason: 'foreign-channel' } });
  const listed = expectShape(quarantineList, (await http('get', '/v1/nodes/quarantined').expect(200)).body);
  expect(listed.items).toMatchObject([{ nodeId: 'node-9', reason: 'foreign-channel', parkedPayments: 0 }]);
  const why = { why: 'its disk was swapped' };
  await http('post', '/v1/nodes/node-8/release').send(why).expect(404);
  await http('post', '/v1/nodes/node-9/release').send({ why: ' ' }).expect(400);
  await http('post', '/v1/nodes/node-9/release').send(why).expect(503);

  const channels = await api.busOf('channel-service');
  const subscription = channels.connection.subscribe(channels.subject(nodeRelease.subject), {
    callback: (_error, message) => {
      void api.admin.quarantinedNode
        .deleteMany({ where: { nodeId: 'node-9' } })
        .then(() => message.respond(JSON.stringify({ response: RELEASED, isDisposed: true, id: idOf(message.data) })));
    },
  });
  const operator = await api.newKey(['operate']);
  const asOperator = request(api.url).post('/v1/nodes/node-9/release').set('authorization', `Bearer ${operator}`);
  await asOperator.send(why).expect(403);
  expect((await http('post', '/v1/nodes/node-9/release').send(why).expect(200)).body).toEqual({ items: [] });
  subscription.unsubscribe();
  const audit = await api.admin.auditEntry.findMany({ where: { action: 'node.release' }, orderBy: { id: 'desc' } });
  expect(audit[0]).toMatchObject({ target: 'node-9', data: { ...why, reason: 'foreign-channel' } });
});

const RELEASED = { ok: true, value: { released: true, reason: 'foreign-channel' } };
const idOf = (data: Uint8Array): unknown => (JSON.parse(Buffer.from(data).toString('utf8')) as { id: unknown }).id;
