import { randomUUID } from 'node:crypto';
import { channelClose } from '@seedfleet/bus';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { channelDetailSchema } from './channel.schemas.js';

let api: RunningMarketApi;
const id = randomUUID();
const why = { why: 'takedown' };

const close = (channel: string, key = api.key) =>
  request(api.url).post(`/v1/channels/${channel}/close`).set('authorization', `Bearer ${key}`);

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  await storeChannels(api.admin, [channelRow({ id, k: 20n })]);
});
afterAll(() => api.stop());

it('a channel is closed by channel-service, at the word of somebody who handles money, and on record', async () => {
  await close(id, await api.newKey(['operate']))
    .send(why)
    .expect(403);
  await close(id).send({ why: ' ' }).expect(400);
  await close('no-uuid').send(why).expect(400);
  expect((await close(randomUUID()).send(why).expect(404)).body).toMatchObject({ code: 'channel-not-found' });
  expect(await api.admin.auditEntry.count({ where: { action: 'channel.close' } })).toBe(0);
  // Nobody is there to do it.
  expect((await close(id).send(why).expect(503)).body).toMatchObject({ code: 'unavailable' });

  const channels = await api.busOf('channel-service');
  const answers: object[] = [
    { closed: true, state: 'closing' },
    { closed: true, state: 'closing' },
    { closed: false, code: 'channel-over' },
    { closed: false, code: 'channel-unfunded' },
  ];
  const asked: unknown[] = [];
  const subscription = channels.connection.subscribe(channels.subject(channelClose.subject), {
    callback: (_error, message) => {
      const { id: question, data } = JSON.parse(Buffer.from(message.data).toString('utf8')) as Record<string, unknown>;
      asked.push(data);
      const response = { ok: true, value: answers.shift() };
      message.respond(JSON.stringify({ response, isDisposed: true, id: question }));
    },
  });
  await channels.connection.flush();
  for (const _time of [1, 2]) {
    const { body } = await close(id).send(why).expect(200);
    expect(expectShape(channelDetailSchema, body)).toMatchObject({ id, k: 20 });
  }
  for (const code of ['channel-over', 'channel-unfunded']) {
    expect((await close(id).send(why).expect(409)).body).toMatchObject({ code, channelId: id, state: 'funded' });
  }
  subscription.unsubscribe();
  const audit = await api.admin.auditEntry.findMany({ where: { action: 'channel.close' } });
  expect(audit).toHaveLength(5);
  expect(audit[0]).toMatchObject({ target: id, data: { ...why, state: 'funded' } });
  expect(asked).toHaveLength(4);
  expect(asked[0]).toEqual({ channelId: id, ...why, closedBy: audit[0]?.actor });
});
