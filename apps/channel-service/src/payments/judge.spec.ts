import { bestEcdsa, prepareSettlement, signSettlement } from '@seedfleet/payment-channel';
import { describe, expect, it } from 'vitest';
import { channelParameters } from '../channels/parameters.js';
import { BUYER_PRIVATE_KEY, exampleRow } from '../testing/rows.js';
import { collectEntries, type PaymentBatch } from './entries.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { snapshotOf } from './snapshots.js';
import { judgeEntries, type ChannelSnapshot, type Judgement } from './judge.js';

const ecdsa = bestEcdsa();
const ID = exampleRow().id;
const parameters = channelParameters(exampleRow(), 'regtest');
if (parameters === null) throw new Error('the example is funded');
const template = prepareSettlement(parameters);
const foreign = prepareSettlement({ ...parameters, network: 'regtest_bitcoin_cash' });

const pay = (k: number, by = template): Uint8Array<ArrayBuffer> =>
  new Uint8Array(signSettlement(by, k, BUYER_PRIVATE_KEY, ecdsa));
/** The same signature with the other S, which verifies for the curve and is not ours to take (BIP 62, rule 5). */
function withHighS(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const order = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
  const placeOfS = 4 + (der[3] ?? 0) + 2;
  const low = BigInt(`0x${Buffer.from(der.subarray(placeOfS)).toString('hex')}`);
  const high = Buffer.from((order - low).toString(16).padStart(64, '0'), 'hex');
  const s = [0x02, 33, 0, ...high];
  const body = [...der.subarray(2, placeOfS - 2), ...s];
  return Uint8Array.from([0x30, body.length, ...body]);
}

const payment = (k: number, signature = pay(k), channelId = ID) => ({ channelId, k, signature });

async function judge(
  batches: readonly Partial<PaymentBatch>[],
  snapshot: Partial<ChannelSnapshot> | null = {},
): Promise<Judgement> {
  const messages = batches.map((batch, place) => {
    const nodeId = batch.nodeId ?? 'node-1';
    return { seq: place + 1, keys: ['0', 'node-1'], payload: { payments: [], ends: [], ...batch, nodeId } };
  });
  const known =
    snapshot === null ? [] : [[ID, { nodeId: 'node-1', template, k: 0, isCorrupt: false, ...snapshot }] as const];
  return judgeEntries(collectEntries(messages), new Map(known), ecdsa, () => Promise.resolve());
}

const bestK = ({ updates }: Judgement): number | undefined => updates[0]?.payment?.k;
const codes = ({ parked }: Judgement): string[] => parked.map(({ code }) => code);

describe('judging a batch of payments', () => {
  it('takes the highest good payment of a channel and verifies nothing else', async () => {
    const judged = await judge([{ payments: [payment(3), payment(9)] }, { payments: [payment(5), payment(9)] }]);
    expect(bestK(judged)).toBe(9);
    expect(judged.verifications).toBe(1);
    expect(codes(judged)).toEqual([]);
  });

  it('ignores payments that are stored already, without a word', async () => {
    const judged = await judge([{ payments: [payment(3), payment(9)] }], { k: 9 });
    expect(judged.updates).toEqual([]);
    expect(judged.verifications).toBe(0);
    expect(codes(judged)).toEqual([]);
  });

  it('sets a forged payment aside, blames the node, and takes the next good one', async () => {
    const judged = await judge([{ payments: [payment(8), payment(500, pay(8))] }]);
    expect(bestK(judged)).toBe(8);
    expect(codes(judged)).toEqual(['invalid-signature']);
    expect([...judged.forgers]).toEqual([['node-1', 'invalid-signature']]);
  });

  it.each([
    ['beyond kCap', payment(995), 'beyond-k-cap'],
    ['beyond the funding value', payment(1_073, pay(8)), 'beyond-k-pay'],
    ['k of zero', payment(0, pay(1)), null],
    ['not DER', payment(8, new Uint8Array(71)), 'not-strict-der'],
    ['signed with a high S', payment(8, withHighS(pay(8))), 'high-s'],
    ['signed for two pieces more', payment(8, pay(10)), 'invalid-signature'],
    ['signed for another chain', payment(8, pay(8, foreign)), 'wrong-network'],
  ])('refuses a payment that is %s', async (_, entry, code) => {
    const judged = await judge([{ payments: [entry] }]);
    expect(judged.updates).toEqual([]);
    expect(codes(judged)).toEqual(code === null ? [] : [code]);
  });

  it('refuses payments and ends of another node’s channel, which stays as it is', async () => {
    const judged = await judge([{ payments: [payment(8)], ends: [{ channelId: ID, k: 8, reason: 'x' }] }], {
      nodeId: 'node-2',
    });
    expect(judged.updates).toEqual([]);
    expect(codes(judged)).toEqual(['foreign-channel', 'foreign-channel']);
    expect([...judged.forgers]).toEqual([['node-1', 'foreign-channel']]);
  });

  it('sets aside payments of channels nobody knows, and blames nobody', async () => {
    const judged = await judge([{ payments: [payment(8)] }], null);
    expect(codes(judged)).toEqual(['unknown-channel']);
    expect(judged.forgers.size).toBe(0);
  });

  it('refuses payments of a channel without funding, and blames nobody: a restored database knows no better', async () => {
    const judged = await judge([{ payments: [payment(8)] }], { template: null });
    expect(codes(judged)).toEqual(['not-funded']);
    expect(judged.forgers.size).toBe(0);
  });

  it('sets aside payments of a channel whose row is corrupt, and blames nobody', async () => {
    const good = exampleRow({ k: 8n, signature: pay(8) });
    const isCorrupt = (change: Partial<ChannelRow>) => snapshotOf({ ...good, ...change }, 'regtest', ecdsa).isCorrupt;
    expect([isCorrupt({}), isCorrupt({ fundingTxid: null })]).toEqual([false, false]);
    const damages: Partial<ChannelRow>[] = [
      { buyerPublicKey: new Uint8Array(33) },
      { sellerPublicKey: new Uint8Array(3) },
      { buyerKeyHash: new Uint8Array(19) },
      { fundingTxid: 'ab' },
      { fundingValueSat: -1n },
      { priceSat: 8n },
      { k: 9n },
      { signature: null },
      { signature: new Uint8Array(71) },
    ];
    for (const damage of damages) expect([damage, isCorrupt(damage)]).toEqual([damage, true]);
    const judged = await judge([{ payments: [payment(9)] }], snapshotOf({ ...good, k: 7n }, 'regtest', ecdsa));
    expect(codes(judged)).toEqual(['row-corrupt']);
    expect(judged.forgers.size).toBe(0);
  });

  it('drops a message that speaks for another node than its sender', async () => {
    const judged = await judge([{ nodeId: 'node-2', payments: [payment(8)] }]);
    expect(judged.updates).toEqual([]);
    expect(codes(judged)).toEqual(['sender-mismatch']);
    expect([...judged.forgers.keys()]).toEqual(['node-1']);
  });

  it('stops looking at a channel after four forgeries, and at no other', async () => {
    const forged = Array.from({ length: 50 }, (_, place) => payment(500 + place, pay(1)));
    const judged = await judge([{ payments: [...forged, payment(8)] }]);
    expect(judged.updates).toEqual([]);
    expect(codes(judged)).toHaveLength(4);
    expect(judged.verifications).toBe(4);
  });

  it('gives the end of a channel together with its best payment', async () => {
    const judged = await judge([
      { payments: [payment(7)] },
      { payments: [payment(8)], ends: [{ channelId: ID, k: 8, reason: 'peer-closed' }] },
    ]);
    expect(judged.updates).toMatchObject([{ channelId: ID, payment: { k: 8 }, end: { k: 8, reason: 'peer-closed' } }]);
  });
});
