import { randomUUID } from 'node:crypto';
import { channelClose } from '@seedfleet/bus';
import { netSat } from '@seedfleet/payment-channel';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { K_CAP, K_MIN, TestFleet } from '../testing/test-fleet.js';
import { AWAITED_PAYMENT_SECONDS } from './awaited-payment.js';

describe('settlement', () => {
  let fleet: TestFleet;
  let settler: ServiceProcess;
  let intake: ServiceProcess;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    settler = fleet.service('settler');
    intake = fleet.service('intake');
    await settler.start();
    await intake.start();
  });

  afterAll(() => fleet.close(intake, settler));

  /** A channel that ended after payment k. */
  async function ended(k: number): Promise<string> {
    const { channelId, buyer } = await fleet.funded();
    const payments = k === 0 ? [] : [{ channelId, k, signature: buyer.pay(k) }];
    await fleet.committed(await fleet.publish({ payments, ends: [{ channelId, k, reason: 'peer-closed' }] }));
    return channelId;
  }

  const settlements = (channelId: string) =>
    fleet.prisma.broadcast.findMany({ where: { label: { contains: channelId } } });

  /** A block that is mined before the settlement is in the mempool would be without it. */
  const isSent = (channelId: string): Promise<void> =>
    expect.poll(async () => (await settlements(channelId))[0]?.state, { timeout: 40_000 }).toBe('mempool');

  it('settles the last payment with exactly the amounts of the specification', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.publish({ payments: [{ channelId, k: 41, signature: buyer.pay(41) }] });
    const seq = await fleet.publish({
      payments: [{ channelId, k: 42, signature: buyer.pay(42) }],
      ends: [{ channelId, k: 42, reason: 'peer-closed' }],
    });
    await fleet.committed(seq);
    const settling = await fleet.becomes(channelId, 'settling');
    expect(settling.frozenK).toBe(42n);
    const settlementTxid = settling.settlementTxid ?? '';

    await isSent(channelId);
    await fleet.regtest.mine();
    await fleet.becomes(channelId, 'settled');
    const mined = await fleet.regtest.transaction(settlementTxid);
    expect(mined.vout.map(({ value }) => BigInt(Math.round(value * 1e8)))).toEqual([
      fleet.valueSat - 42n * fleet.terms.priceSat,
      netSat(42, fleet.terms.priceSat, fleet.terms.settlementFeeSat),
    ]);

    await fleet.regtest.mine(5);
    const buried = await fleet.becomes(channelId, 'buried');
    expect(buried).toMatchObject({ settlementConfirmations: 6, frozenK: 42n });
    // News that came with the last block wakes it once more; then nothing is left to do.
    await expect.poll(async () => (await fleet.row(channelId)).nextActionAt, { timeout: 10_000 }).toBeNull();
    expect(await fleet.story(channelId)).toEqual([
      'joined:join-accepted',
      'joined:ready',
      'funding-seen:outpoint-claimed',
      'funding-seen:unconfirmed',
      'funded:funded',
      'closing:peer-closed',
      'settling:stored',
      'settling:broadcast',
      'settled:mined',
      'buried:buried',
    ]);
  });

  it('owes nothing for a channel without payments', async () => {
    const channelId = await ended(0);
    const row = await fleet.becomes(channelId, 'nothing-owed');
    expect(row).toMatchObject({ frozenK: 0n, settlementTxid: null, nextActionAt: null, closeReason: 'peer-closed' });
  });

  it('returns the change of a channel that ended below kMin, where the payments make a fee', async () => {
    const channelId = await ended(K_MIN - 1);
    const { settlementTxid } = await fleet.becomes(channelId, 'settling');
    await isSent(channelId);
    await fleet.regtest.mine(6);
    await fleet.becomes(channelId, 'returned');
    const mined = await fleet.regtest.transaction(settlementTxid ?? '');
    expect(mined.vout.map(({ value }) => BigInt(Math.round(value * 1e8)))).toEqual([
      fleet.valueSat - 9n * fleet.terms.priceSat,
    ]);
  });

  it('leaves to the refund what would not be relayed', async () => {
    const row = await fleet.becomes(await ended(1), 'nothing-owed');
    expect(row.stateReason).toBe('below-relay-minimum');
  });

  it('settles with Redis wiped and its queue stopped: Postgres is what counts', async () => {
    const prefix = `seedfleet-${fleet.fleetId}`;
    const queue = new Queue('settlement', { prefix, connection: { url: inject('redisUrl') } });
    await queue.pause();
    const { channelId, buyer } = await fleet.funded();
    await queue.obliterate({ force: true });
    await queue.pause();
    await fleet.publish({
      payments: [{ channelId, k: 30, signature: buyer.pay(30) }],
      ends: [{ channelId, k: 30, reason: 'peer-closed' }],
    });
    await fleet.becomes(channelId, 'settling');
    await queue.resume();
    await queue.close();
    await isSent(channelId);
    await fleet.regtest.mine();
    await fleet.becomes(channelId, 'settled');
  });

  it('broadcasts one settlement only, also when it is killed between storing and sending', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.chainWatcher.end('SIGKILL');
    await fleet.publish({
      payments: [{ channelId, k: 50, signature: buyer.pay(50) }],
      ends: [{ channelId, k: 50, reason: 'peer-closed' }],
    });
    const stored = await fleet.becomes(channelId, 'settling');
    await settler.end('SIGKILL');
    expect(await settlements(channelId)).toEqual([]);
    await fleet.chainWatcher.start();
    await settler.start();
    await expect
      .poll(async () => (await settlements(channelId)).map(({ txid, state }) => [txid, state]), { timeout: 40_000 })
      .toEqual([[stored.settlementTxid, 'mempool']]);
    await fleet.regtest.mine();
    expect(await fleet.becomes(channelId, 'settled')).toMatchObject({ settlementTxid: stored.settlementTxid });
  });

  it('closes a channel at its deadline, tells the node, and settles what was paid', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 33, signature: buyer.pay(33) }] }));
    await fleet.prisma.channel.update({ where: { id: channelId }, data: { deadlineMtp: 1 } });
    const closed = await fleet.becomes(channelId, 'settling');
    expect(closed).toMatchObject({ frozenK: 33n, closeReason: 'deadline' });
    expect(fleet.verdicts.filter((verdict) => verdict.channelId === channelId).at(-1)).toMatchObject({
      kind: 'refuse',
      code: 'deadline',
      kCap: K_CAP,
    });
    expect((await fleet.story(channelId)).slice(5, 8)).toEqual([
      'closing:deadline',
      'closing:k-frozen',
      'settling:stored',
    ]);
  });

  it('closes an open channel at the word of a person, once, and settles what was paid', async () => {
    const { channelId, buyer } = await fleet.funded();
    const close = (id: string) => fleet.ask(channelClose, { channelId: id, why: 'takedown', closedBy: 'key:1' });
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 21, signature: buyer.pay(21) }] }));
    expect(await close(channelId)).toEqual({ closed: true, state: 'closing' });
    expect(await close(channelId)).toEqual({ closed: true, state: 'closing' });
    const told = () => fleet.verdicts.filter((verdict) => verdict.channelId === channelId).at(-1);
    await expect.poll(told, { timeout: 40_000 }).toMatchObject({ kind: 'refuse', code: 'operator', kCap: K_CAP });
    // The node's last payment is still on its way.
    await fleet.publish({
      payments: [{ channelId, k: 22, signature: buyer.pay(22) }],
      ends: [{ channelId, k: 22, reason: 'operator' }],
    });
    expect(await fleet.becomes(channelId, 'settling')).toMatchObject({ frozenK: 22n, closeReason: 'operator' });
    expect((await close(channelId)).closed).toBe(true);
    const story = await fleet.prisma.channelEvent.findMany({ where: { channelId, reason: 'operator' } });
    expect(story).toMatchObject([{ state: 'closing', data: { k: '21', by: 'key:1', why: 'takedown' } }]);
    await isSent(channelId);
    await fleet.regtest.mine(6);
    await fleet.becomes(channelId, 'buried');
    expect(await close(channelId)).toEqual({ closed: false, code: 'channel-over' });
    const { channelId: unfunded } = await fleet.joined();
    expect(await close(unfunded)).toEqual({ closed: false, code: 'channel-unfunded' });
    expect(await close(randomUUID())).toEqual({ closed: false, code: 'channel-unknown' });
  });

  it('does not freeze k at a deadline before the intake has stored what the broker acknowledged', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 20, signature: buyer.pay(20) }] }));
    await intake.end('SIGKILL');
    await fleet.publish({ payments: [{ channelId, k: 34, signature: buyer.pay(34) }] });
    await fleet.prisma.channel.update({ where: { id: channelId }, data: { deadlineMtp: 1 } });
    const { stateEnteredAt } = await fleet.becomes(channelId, 'closing');
    // Until the settler has looked at it twice (it claims, looks, and sets its next look) after the time that every closed
    // channel gets.
    const awaitedUntilMs = stateEnteredAt.getTime() + (AWAITED_PAYMENT_SECONDS + 1) * 1_000;
    const looks = new Set<number>();
    const seenLooks = async (): Promise<number> => {
      const nextLookMs = (await fleet.row(channelId)).nextActionAt?.getTime() ?? 0;
      if (Date.now() > awaitedUntilMs) looks.add(nextLookMs);
      return looks.size;
    };
    await expect.poll(seenLooks, { timeout: 60_000, interval: 50 }).toBeGreaterThan(4);
    expect(await fleet.row(channelId)).toMatchObject({
      state: 'closing',
      stateReason: 'deadline',
      k: 20n,
      frozenK: null,
    });
    await intake.start();
    expect(await fleet.becomes(channelId, 'settling')).toMatchObject({ k: 34n, frozenK: 34n, closeReason: 'deadline' });
  });

  it('follows a reorganisation back and forth', async () => {
    const channelId = await ended(40);
    await fleet.becomes(channelId, 'settling');
    await isSent(channelId);
    await fleet.regtest.mine();
    await fleet.becomes(channelId, 'settled');
    const block = await fleet.regtest.call<string>('getbestblockhash');
    await fleet.regtest.call('invalidateblock', block);
    // An empty block instead: the settlement is in the mempool again.
    await fleet.regtest.call('generateblock', await fleet.regtest.call<string>('getnewaddress'), []);
    expect(await fleet.becomes(channelId, 'settling')).toMatchObject({ stateReason: 'reorganised' });
    await fleet.regtest.mine(6);
    const buried = await fleet.becomes(channelId, 'buried');
    expect(buried.settlementConfirmations).toBe(6);
  });
});
