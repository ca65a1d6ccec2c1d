import { once } from 'node:events';
import { request as open } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { problemSchema } from '../http/problem-schema.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';

/** More is asked than can be answered: a table that everything needs is locked, so that nothing is. */

const LIMITS = { atOnce: 4, atOnceOfOthers: 2, waiting: 3, maxWaitMs: 60_000 };
const WITHIN = { timeout: 30_000, interval: 50 };
let api: RunningMarketApi;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'), { admission: LIMITS });
});
afterAll(() => api.stop());

async function metric(name: string, lane?: string): Promise<number> {
  const { text } = await request(api.url).get('/metrics').expect(200);
  const lines = text
    .split('\n')
    .filter((each) => each.startsWith(name) && (lane === undefined || each.includes(`"${lane}"`)));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
const working = () => metric('seedfleet_http_requests_in_work');
const waiting = (lane: string) => metric('seedfleet_http_requests_waiting', lane);

/** Holds up everything that reads tiers, until it is told to stop. */
async function whileHeld(during: () => Promise<void>): Promise<void> {
  let release: () => void = () => undefined;
  let locked: () => void = () => undefined;
  const isLocked = new Promise<void>((resolve) => (locked = resolve));
  const held = api.admin.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`LOCK TABLE market.tier IN ACCESS EXCLUSIVE MODE`;
      locked();
      await new Promise<void>((resolve) => (release = resolve));
    },
    { timeout: 60_000 },
  );
  await isLocked;
  try {
    await during();
  } finally {
    release();
    await held;
  }
}

it('works on and keeps waiting only so many, refuses the rest at once, and lets operators first', async () => {
  const tiers = () => request(api.url).get('/v1/tiers').set('authorization', `Bearer ${api.key}`);
  const stranger = () =>
    request(api.url)
      .get('/v1/tiers')
      .set('authorization', `Bearer sfk_${'x'.repeat(43)}`);
  await tiers().expect(200);
  const answers: Promise<number>[] = [];
  const ask = (asked: request.Test): void => void answers.push(asked.then(({ status }) => status));
  await whileHeld(async () => {
    for (let n = 0; n < LIMITS.atOnce; n += 1) ask(tiers());
    await vi.waitFor(async () => expect(await working()).toBe(LIMITS.atOnce), WITHIN);
    for (let n = 0; n < LIMITS.waiting; n += 1) ask(stranger());
    await vi.waitFor(async () => expect(await waiting('stranger')).toBe(LIMITS.waiting), WITHIN);
    // The public is refused at once; who is known takes the place of a stranger.
    const refused = await request(api.url).get('/v1/market/torrents');
    expect(refused.status).toBe(503);
    expect(problemSchema.parse(refused.body).code).toBe('overloaded');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await metric('seedfleet_http_requests_refused_total', 'public')).toBe(1);
    ask(tiers());
    await vi.waitFor(async () => expect(await waiting('read')).toBe(1), WITHIN);
    expect(await waiting('stranger')).toBe(LIMITS.waiting - 1);
    // Who watches the service sees it all the same.
    await request(api.url).get('/health').expect(200);
    expect(await working()).toBe(LIMITS.atOnce);
  });
  const statuses = (await Promise.all(answers)).sort();
  expect(statuses).toEqual([200, 200, 200, 200, 200, 401, 401, 503]);
  await vi.waitFor(async () => expect(await working()).toBe(0), WITHIN);
}, 90_000);

it('leaves a place taken while the work on it goes on, though its client has left, and no longer', async () => {
  await whileHeld(async () => {
    const asked = open(`${api.url}/v1/tiers`, { headers: { authorization: `Bearer ${api.key}` } });
    asked.on('error', () => undefined).end();
    await vi.waitFor(async () => expect(await working()).toBe(1), WITHIN);
    asked.destroy();
    await sleep(500);
    expect(await working()).toBe(1);
  });
  await vi.waitFor(async () => expect(await working()).toBe(0), WITHIN);
});

it('does not count streams of events, which last and cost little', async () => {
  const asked = open(`${api.url}/v1/events`, { headers: { authorization: `Bearer ${api.key}` } }).end();
  await once(asked, 'response');
  await vi.waitFor(async () => expect(await metric('seedfleet_event_streams')).toBe(1), WITHIN);
  expect(await working()).toBe(0);
  asked.destroy();
});
