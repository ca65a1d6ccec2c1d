import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { CHANNEL_SORTS, OPEN_STATES, type ChannelSort } from './channel-order.js';

/** Every order of the list of channels, page by page, against the same channels sorted here. */

let api: RunningMarketApi;
let rows: Listed[];

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly nodeId: string;
  readonly infoHash: string;
  readonly places: Readonly<Record<ChannelSort, bigint>>;
}

interface ListedPage {
  readonly items: readonly { readonly id: string }[];
  readonly nextCursor: string | null;
}

const FROZEN = ['settling', 'settled', 'buried', 'returned', 'lost', 'nothing-owed', 'refund-seen'];
const RUNNING = [...OPEN_STATES, 'offered', 'funding-missing', 'settle-rejected', 'refund-seen'];
const STATES = [...new Set([...FROZEN, ...RUNNING, 'join-expired', 'refused'])];
const PER_STATE = 6;
const NEVER = 2_147_483_647;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  // Many at the same place, so that ids decide.
  const channels = STATES.flatMap((state) =>
    Array.from({ length: PER_STATE }, (_none, at) => {
      const k = RUNNING.includes(state) || FROZEN.includes(state) ? BigInt((at % 3) * 200) : 0n;
      const frozen = FROZEN.includes(state) && !(state === 'refund-seen' && at % 2 === 0);
      const earlier = frozen && state !== 'refund-seen' && k === 400n;
      return channelRow({
        ...{ state, k, nodeId: `node-${at % 2}`, infoHash: String(at % 3).repeat(40) },
        ...{
          deadlineMtp: at % 4 === 0 ? null : 1_800_000_000 + (at % 3),
          createdAt: new Date(1_800_000_000_000 + (at % 4)),
        },
        ...(frozen ? { frozenK: k } : {}),
        ...(earlier ? { settledK: 300n, settlementTxid: randomUUID().replaceAll('-', '').repeat(2) } : {}),
      });
    }),
  );
  await storeChannels(api.admin, channels);
  rows = (await api.admin.channel.findMany()).map(
    ({ id, state, nodeId, infoHash, k, settledK, priceSat, deadlineMtp, createdAt }) => ({
      ...{ id, state, nodeId, infoHash },
      places: {
        newest: BigInt(createdAt.getTime()),
        deadline: BigInt(deadlineMtp ?? NEVER),
        exposure: (settledK ?? k) * priceSat,
      },
    }),
  );
});
afterAll(() => api.stop());

function sorted(sort: ChannelSort, all: readonly Listed[]): string[] {
  const sign = sort === 'deadline' ? 1 : -1;
  const order = (a: Listed, b: Listed): number =>
    a.places[sort] === b.places[sort] ? (a.id < b.id ? -sign : sign) : a.places[sort] < b.places[sort] ? -sign : sign;
  return [...all].sort(order).map(({ id }) => id);
}

it('gives every channel once, in order, however states, filters and pages are chosen', async () => {
  const asked = fc.record({
    sort: fc.constantFrom(...CHANNEL_SORTS),
    states: fc.array(fc.constantFrom(...STATES), { maxLength: 4 }),
    nodeId: fc.option(fc.constantFrom('node-0', 'node-9'), { freq: 4 }),
    infoHash: fc.option(fc.constant('1'.repeat(40)), { freq: 4 }),
    limit: fc.constantFrom(1, 3, 10, 100),
  });
  const property = fc.asyncProperty(asked, async ({ sort, states, nodeId, infoHash, limit }) => {
    const query = new URLSearchParams({ sort, limit: String(limit) });
    for (const state of states) query.append('state', state);
    if (nodeId !== null) query.set('nodeId', nodeId);
    if (infoHash !== null) query.set('infoHash', infoHash);
    const listed: string[] = [];
    for (let cursor: string | null = ''; cursor !== null && listed.length <= rows.length;) {
      const url: string = `/v1/channels?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body }: { body: ListedPage } = await request(api.url)
        .get(url)
        .set('authorization', `Bearer ${api.key}`)
        .expect(200);
      listed.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    const wanted = states.length > 0 ? states : sort === 'newest' ? STATES : OPEN_STATES;
    const expected = rows.filter(
      (row) =>
        (wanted as readonly string[]).includes(row.state) &&
        (nodeId === null || row.nodeId === nodeId) &&
        (infoHash === null || row.infoHash === infoHash),
    );
    expect(listed).toEqual(sorted(sort, expected));
  });
  await fc.assert(property, { numRuns: 60 });
}, 60_000);

it('costs payments nothing: no index has what a payment changes', async () => {
  const indexes = await api.admin.$queryRaw<{ indexdef: string }[]>`
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'channel' AND tablename = 'channel'`;
  expect(indexes.length).toBeGreaterThan(5);
  for (const { indexdef } of indexes) expect(indexdef).not.toMatch(/\b(k|signature|updatedAt)\b/);
});
