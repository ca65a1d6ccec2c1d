import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { expectShape } from '../testing/shape.js';
import { channelDetailSchema, type ChannelDetail } from './channel.schemas.js';

let api: RunningMarketApi;
const [open, sold, short] = [randomUUID(), randomUUID(), randomUUID()];
const id = (mark: string): string => mark.repeat(32);
const FUNDING = id('a1');
const OTHER = id('a2');
const OURS = id('b1');
const TWIN = id('b2');
const CHILD = id('c1');
const DEARER = id('c2');
const SWEEP = id('d1');

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  const funded = { fundingTxid: FUNDING, fundingVout: 0, fundingHeight: 90, fundingConfirmations: 11 };
  const settled = { settlementTxid: OURS, settlementRaw: Buffer.from('00', 'hex') };
  await storeChannels(api.admin, [
    channelRow({ id: open, state: 'funding-seen', fundingTxid: OTHER, fundingVout: 0, k: 1n }),
    channelRow({ id: sold, state: 'settling', k: 500n, frozenK: 500n, ...funded, ...settled }),
    channelRow({
      ...{ id: short, state: 'settling', k: 500n, frozenK: 500n, settledK: 300n, ...funded, fundingTxid: id('a3') },
      ...{ settlementTxid: id('b3'), settlementRaw: Buffer.from('00', 'hex') },
    }),
  ]);
  const earlier = { channelId: short, version: 90, state: 'settling', reason: 'earlier-payment-sent' };
  await api.admin.channelEvent.create({ data: earlier });
  await api.admin.channelEvent.create({ data: { channelId: sold, version: 90, state: 'settling', reason: 'stored' } });
  const mined = { state: 'buried', minedTxid: TWIN, minedRaw: Buffer.from('01', 'hex'), nextActionAt: null };
  await api.admin.channel.update({ where: { id: sold }, data: mined });
  await api.admin.chainBlock.create({ data: { height: 100, hash: id('01'), previousHash: '', medianTimePast: 1 } });
  const watched = { vout: 0, script: Buffer.from('51', 'hex'), label: '' };
  const spent = { spendTxid: TWIN, spendHeight: 95, spendHash: id('02') };
  await api.admin.watchedOutput.createMany({
    data: [
      { ...watched, txid: FUNDING, state: 'spent-confirmed', fundingHeight: 90, ...spent },
      { ...watched, txid: OTHER, state: 'unseen', conflictTxid: OURS, conflictSeenAt: new Date() },
    ],
  });
  const bytes = { raw: Buffer.from('00', 'hex'), inputSat: 3_000n, feeSat: 200n, virtualBytes: 192, madeAtHeight: 90 };
  const child = { ...bytes, kind: 'child', channelId: sold, reason: 'few-safe-blocks' };
  await api.admin.treasuryTransaction.createMany({
    data: [
      { ...child, txid: CHILD, state: 'replaced', stateReason: DEARER, createdAt: new Date(1_000) },
      { ...child, txid: DEARER, state: 'void', stateReason: 'settlement-gone', replaces: CHILD },
      { ...bytes, txid: SWEEP, kind: 'sweep', reason: 'by-hand', destination: 'operator', state: 'mempool' },
    ],
  });
  await api.admin.treasuryInput.create({ data: { spenderTxid: SWEEP, txid: TWIN, vout: 1 } });
});
afterAll(() => api.stop());

it('shows what is settled where that is an earlier payment than the last, everywhere', async () => {
  const { k, lastK, paidSat, netSat, transactions } = await shown(short);
  expect({ k, lastK, paidSat, netSat }).toEqual({ k: 300, lastK: 500, paidSat: '2100', netSat: '1650' });
  expect(transactions.find(({ role }) => role === 'settlement')?.madeAt).not.toBeNull();
  const asked = (path: string) => request(api.url).get(path).set('authorization', `Bearer ${api.key}`);
  const listed = (await asked('/v1/channels').expect(200)).body as { items: { id: string }[] };
  expect(listed.items).toContainEqual(expect.objectContaining({ id: short, paidSat: '2100' }));
});

async function shown(channel: string): Promise<ChannelDetail> {
  const asked = request(api.url).get(`/v1/channels/${channel}`).set('authorization', `Bearer ${api.key}`);
  return expectShape(channelDetailSchema, (await asked.expect(200)).body);
}

it('a channel tells every transaction that has to do with it, replaced and foreign ones too', async () => {
  const { transactions, settlementTxid, next } = await shown(sold);
  expect(transactions.map(({ role, txid, state }) => [role, txid, state])).toEqual([
    ['funding', FUNDING, 'confirmed'],
    ['settlement', OURS, 'not-handed-over'],
    ['foreign-spend', TWIN, 'confirmed'],
    ['child', CHILD, 'replaced'],
    ['child', DEARER, 'void'],
    ['sweep', SWEEP, 'mempool'],
  ]);
  expect(transactions[2]).toMatchObject({ reason: 'twin', confirmations: 6, feeSat: null });
  expect(transactions[4]).toMatchObject({ replaces: CHILD, feeSat: '200', reason: 'settlement-gone' });
  expect(transactions[5]?.reason).toBe('stored');
  expect([settlementTxid, next]).toEqual([TWIN, null]);
});

it('a channel tells what happens next, who does it and when', async () => {
  const { transactions, next, nextActionAt } = await shown(open);
  expect(transactions).toMatchObject([
    { role: 'funding', txid: OTHER, state: 'unseen' },
    { role: 'funding-rival', txid: OURS, state: 'seen', confirmations: 0 },
  ]);
  expect(next).toEqual({ what: 'follow-funding', owner: 'intake', at: nextActionAt });
});
