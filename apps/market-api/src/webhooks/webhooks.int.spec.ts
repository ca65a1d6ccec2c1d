import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { torrentFile } from '../testing/torrent-file.js';
import { WEBHOOK_SETTINGS, type WebhookSettings } from './settings.js';

/** Webhooks against a receiver on this machine, with the real queue. */

let api: RunningMarketApi;
let receiver: Server;
let address: string;
let status = 200;
let received: { headers: IncomingHttpHeaders; body: string }[] = [];
const PATIENCE = { timeout: 30_000, interval: 50 };
const as = (key = api.key) => ({ authorization: `Bearer ${key}` });

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'), {
    redisUrl: inject('redisUrl'),
    webhookNetworks: ['127.0.0.0/8'],
  });
  receiver = createServer((asked, answer) => {
    let body = '';
    asked.setEncoding('utf8').on('data', (part: string) => (body += part));
    asked.on('end', () => {
      received.push({ headers: asked.headers, body });
      answer.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await api.stop();
});
beforeEach(async () => {
  await api.admin.webhook.deleteMany();
  received = [];
  status = 200;
});

const create = async (body: object) =>
  (
    await request(api.url)
      .post('/v1/webhooks')
      .set(as())
      .send({ url: address, ...body })
      .expect(201)
  ).body;
const deliveries = async (id: string) =>
  (await request(api.url).get(`/v1/webhooks/${id}/deliveries`).set(as()).expect(200)).body.items;
const addTorrent = async (name: string) => {
  const body = { metainfo: torrentFile(name).base64, contentPath: '/srv/x' };
  await request(api.url).post('/v1/torrents').set(as()).send(body).expect(201);
};

it('tells of the events it was set for, signed with the secret that was shown once', async () => {
  const { id, secret } = await create({ kinds: ['torrent.*'] });
  await addTorrent('Told');
  await vi.waitFor(() => expect(received).toHaveLength(1), PATIENCE);
  const [{ headers, body } = { headers: {}, body: '' }] = received;
  expect(JSON.parse(body)).toMatchObject({ kind: 'torrent.add', subject: torrentFile('Told').infoHash });
  const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['seedfleet-signature'])) ?? [];
  expect(mac).toBe(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
  expect(Math.abs(Number(seconds) - Date.now() / 1_000)).toBeLessThan(60);
  expect(headers).toMatchObject({ 'seedfleet-event': 'torrent.add', 'content-type': 'application/json' });
  await vi.waitFor(
    async () => expect(await deliveries(id)).toMatchObject([{ state: 'delivered', lastStatus: 200 }]),
    PATIENCE,
  );
  const shown = await request(api.url).get('/v1/webhooks').set(as()).expect(200);
  expect(shown.text).not.toContain(secret);
  const audit = await request(api.url).get(`/v1/audit?target=${id}`).set(as()).expect(200);
  expect(audit.body.items).toMatchObject([{ action: 'webhook.create' }]);
  expect(audit.text).not.toContain(secret);
});

it('tries again later, gives up in the end, and delivers once more when asked', async () => {
  status = 500;
  const { id } = await create({ kinds: ['torrent.add'] });
  await addTorrent('Refused');
  await vi.waitFor(async () => {
    const [delivery] = await deliveries(id);
    expect(delivery).toMatchObject({ state: 'pending', attempts: 1, lastStatus: 500, lastProblem: 'refused' });
    expect(Date.parse(delivery.nextAttemptAt)).toBeGreaterThan(Date.parse(delivery.lastAttemptAt) + 4_000);
  }, PATIENCE);
  // By the time of the last attempt.
  await api.admin.webhookDelivery.updateMany({ data: { attempts: 8, nextAttemptAt: new Date() } });
  await vi.waitFor(
    async () => expect(await deliveries(id)).toMatchObject([{ state: 'given-up', attempts: 9 }]),
    PATIENCE,
  );
  status = 204;
  const [first] = await deliveries(id);
  const path = `/v1/webhooks/${id}/deliveries/${first.id}/redeliver`;
  const again = await request(api.url).post(path).set(as()).expect(201);
  await vi.waitFor(async () => {
    const [newest] = await deliveries(id);
    expect(newest).toMatchObject({ id: again.body.id, state: 'delivered', lastStatus: 204 });
  }, PATIENCE);
  expect(received.at(-1)?.body).toBe(received[0]?.body);
});

it('loses nothing when Redis is wiped, and waits while it is paused', async () => {
  status = 500;
  const { id } = await create({ kinds: ['torrent.add'] });
  await addTorrent('Survivor');
  await vi.waitFor(async () => expect(await deliveries(id)).toMatchObject([{ attempts: 1 }]), PATIENCE);
  const patch = (state: string) => request(api.url).patch(`/v1/webhooks/${id}`).set(as()).send({ state });
  await patch('paused').expect(200);
  // The retry that BullMQ holds is gone with everything else of this fleet in Redis.
  const redis = new Redis(inject('redisUrl'));
  const { fleetId } = api.app.get<WebhookSettings>(WEBHOOK_SETTINGS);
  await redis.del(await redis.keys(`seedfleet-${fleetId}:*`));
  await redis.quit();
  status = 200;
  received = [];
  await api.admin.webhookDelivery.updateMany({ data: { nextAttemptAt: new Date() } });
  await addTorrent('While paused');
  await vi.waitFor(async () => {
    const log = await request(api.url).get('/v1/events/log?limit=1').set(as()).expect(200);
    expect(log.body.items).toMatchObject([{ subject: torrentFile('While paused').infoHash }]);
  }, PATIENCE);
  expect(received).toEqual([]);
  await patch('active').expect(200);
  await vi.waitFor(async () => expect((await deliveries(id)).at(-1)).toMatchObject({ state: 'delivered' }), PATIENCE);
  // Events of its pause are not told: it was not there to hear them.
  expect(received.map(({ body }) => JSON.parse(body).subject)).toEqual([torrentFile('Survivor').infoHash]);
});

it('can be tried, changed and removed', async () => {
  const { id, version } = await create({ kinds: ['channel.*'], description: 'books' });
  await request(api.url).post(`/v1/webhooks/${id}/test`).set(as()).expect(201);
  await vi.waitFor(
    () => expect(received.map(({ headers }) => headers['seedfleet-event'])).toEqual(['webhook.test']),
    PATIENCE,
  );
  const patch = (tag: string) =>
    request(api.url).patch(`/v1/webhooks/${id}`).set(as()).set('if-match', tag).send({ description: 'new' });
  expect((await patch(`"v${version}"`).expect(200)).body).toMatchObject({ description: 'new', version: version + 1 });
  expect((await patch(`"v${version}"`).expect(412)).body.code).toBe('precondition-failed');
  await request(api.url).delete(`/v1/webhooks/${id}`).set(as()).expect(204);
  expect((await request(api.url).delete(`/v1/webhooks/${id}`).set(as()).expect(404)).body.code).toBe(
    'webhook-not-found',
  );
});

it('is refused for addresses and shapes that it must not have', async () => {
  const refused = async (body: object, code: string, key = api.key) => {
    const answer = await request(api.url).post('/v1/webhooks').set(as(key)).send(body);
    expect(answer.body.code, JSON.stringify(body)).toBe(code);
  };
  for (const host of ['10.0.0.1', '[::1]', '169.254.169.254', '[fd00::1]', '0.0.0.0', '3232235777']) {
    await refused({ url: `http://${host}/` }, 'webhook-address-refused');
  }
  for (const url of ['ftp://example.com/', 'http://user:pw@example.com/', 'https://example.com/#x', 'nonsense', 7]) {
    await refused({ url }, 'validation-failed');
  }
  await refused({ url: address, kinds: ['*'] }, 'validation-failed');
  await refused({ url: address, secret: 'mine' }, 'validation-failed');
  await refused({ url: address }, 'scope-missing', await api.newKey(['read']));
  expect(await api.admin.webhook.count()).toBe(0);
});

it('tells when an alert begins and when it ends, once each', async () => {
  await create({ url: address, kinds: ['alert.*'] });
  // Others come and go too, as one of a service that is slow to answer on a busy machine.
  const told = () =>
    received
      .map(({ body }) => JSON.parse(body) as { kind: string; data: { code: string; subject: string } })
      .filter(({ data }) => data.code === 'node-quarantined');
  await api.admin.quarantinedNode.create({ data: { nodeId: 'node-7', reason: 'payments-falsified' } });
  await vi.waitFor(() => expect(told()).toHaveLength(1), PATIENCE);
  const alert = { code: 'node-quarantined', subject: 'node-7', severity: 'critical', detail: 'payments-falsified' };
  expect(told()[0]).toMatchObject({ kind: 'alert.raised', subject: 'node-quarantined', data: alert });
  await api.admin.quarantinedNode.delete({ where: { nodeId: 'node-7' } });
  // As if some time had passed.
  await api.admin.$executeRaw`UPDATE market.alert SET "seenAt" = "seenAt" - interval '1 minute'`;
  await vi.waitFor(() => expect(told()).toHaveLength(2), PATIENCE);
  expect(told()[1]).toMatchObject({ kind: 'alert.cleared', data: { code: 'node-quarantined', subject: 'node-7' } });
  const { body: log } = await request(api.url).get('/v1/events/log').set(as()).expect(200);
  const { items } = log as { items: { kind: string; subject: string }[] };
  const kinds = items.filter(({ subject }) => subject === 'node-quarantined').map(({ kind }) => kind);
  expect(kinds).toEqual(['alert.cleared', 'alert.raised']);
}, 60_000);
