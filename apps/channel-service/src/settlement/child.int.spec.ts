import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';
import type { TestBuyer } from '../testing/test-buyer.js';
import type { TreasuryRow, TreasuryState } from '../treasury/treasury-row.js';

/** More than half of the lock of 20 units: fewer than 12 safe blocks are left. */
const LATER_SECONDS = 3_900;

let fleet: TestFleet;
let service: ServiceProcess;
let channels: { channelId: string; buyer: TestBuyer }[];

beforeAll(async () => {
  fleet = await TestFleet.open();
  service = fleet.service('all');
  await service.start();
});

afterAll(async () => {
  await fleet.close(service);
  await fleet.regtest.backToNow();
});

/** Ends a channel after payment 50; its settlement and first child in the node's mempool. */
async function ended(place: number): Promise<{ channelId: string; settlementTxid: string; child: TreasuryRow }> {
  const { channelId, buyer } = channels[place] ?? (await fleet.funded());
  await fleet.publish({
    payments: [{ channelId, k: 50, signature: buyer.pay(50) }],
    ends: [{ channelId, k: 50, reason: 'peer-closed' }],
  });
  const { settlementTxid } = await fleet.becomes(channelId, 'settling');
  const child = await childBecomes(channelId, 'mempool');
  expect(await mempool()).toEqual(expect.arrayContaining([settlementTxid, child.txid]));
  return { channelId, settlementTxid: settlementTxid ?? '', child };
}

const mempool = (): Promise<string[]> => fleet.regtest.call<string[]>('getrawmempool');

const children = (channelId: string): Promise<TreasuryRow[]> =>
  fleet.prisma.$queryRaw<TreasuryRow[]>`
    SELECT * FROM "channel"."treasury_transaction" WHERE "channelId" = ${channelId}::uuid ORDER BY "createdAt"`;

/** Waits until the newest child is in this state. */
async function childBecomes(channelId: string, state: TreasuryState): Promise<TreasuryRow> {
  await expect
    .poll(async () => (await children(channelId)).at(-1)?.state, { timeout: 40_000, interval: 50 })
    .toBe(state);
  const child = (await children(channelId)).at(-1);
  if (child === undefined) throw new Error('no child');
  return child;
}

const emptyBlock = async (...transactions: string[]): Promise<void> => {
  await fleet.regtest.call('generateblock', await fleet.regtest.call<string>('getnewaddress'), transactions);
};

const agreed = (): Promise<void> =>
  expect.poll(() => reconcile(fleet.prisma, 0), { timeout: 40_000, interval: 200 }).toEqual([]);

const held = async (account: 'child-fee' | 'spent'): Promise<bigint> =>
  (await readBalances(fleet.prisma)).get(account) ?? 0n;

describe('a settlement with few blocks left', () => {
  it('is one of a channel whose lock has run for half of its time', async () => {
    channels = await fleet.fundedTogether(4);
    await fleet.regtest.runAhead(LATER_SECONDS);
  });

  it('is sent with its child, whose fee is booked when it is mined and taken back with its block', async () => {
    const { channelId, settlementTxid, child } = await ended(0);
    expect(child).toMatchObject({ reason: 'few-safe-blocks', feeSat: 192n });
    const { vout } = await fleet.regtest.transaction(child.txid);
    const row = await fleet.row(channelId);
    expect(vout.map(({ value }) => BigInt(Math.round(value * 1e8)))).toEqual([child.inputSat - child.feeSat]);
    expect(vout[0]?.scriptPubKey.hex).toContain(Buffer.from(row.sellerKeyHash).toString('hex'));
    await agreed();
    expect(await held('child-fee')).toBe(0n);

    await fleet.regtest.mine();
    await fleet.becomes(channelId, 'settled');
    await childBecomes(channelId, 'confirmed');
    await agreed();
    expect([await held('child-fee'), await held('spent')]).toEqual([192n, -192n]);

    await fleet.regtest.call('invalidateblock', await fleet.regtest.call<string>('getbestblockhash'));
    await emptyBlock();
    await fleet.becomes(channelId, 'settling');
    await agreed();
    expect(await held('child-fee')).toBe(0n);
    expect(await mempool()).toContain(settlementTxid);
    await fleet.regtest.mine(6);
    await fleet.becomes(channelId, 'buried');
    await expect.poll(async () => (await children(channelId)).map(({ state }) => state).includes('buried')).toBe(true);
    await agreed();
  });

  it('gets a dearer child with the next block that is without it, and the first one is void in the end', async () => {
    const { channelId, settlementTxid, child } = await ended(1);
    await emptyBlock();
    await expect.poll(async () => (await children(channelId)).length, { timeout: 60_000 }).toBe(2);
    const dearer = await childBecomes(channelId, 'mempool');
    expect(dearer).toMatchObject({ replaces: child.txid });
    expect(dearer.feeSat).toBeGreaterThanOrEqual(child.feeSat + 192n);
    expect(await mempool()).toContain(settlementTxid);
    expect(await mempool()).not.toContain(child.txid);
    await fleet.regtest.mine(6);
    await childBecomes(channelId, 'buried');
    await expect.poll(async () => (await children(channelId))[0]?.state, { timeout: 40_000 }).toBe('void');
    await agreed();
    const broadcasts = await fleet.prisma.broadcast.findMany({ where: { label: `settlement:${channelId}` } });
    expect(broadcasts).toHaveLength(1);
  });

  it('books the child that was mined, even if it is one that had been replaced', async () => {
    const { channelId, settlementTxid, child } = await ended(2);
    await emptyBlock();
    const before = await held('child-fee');
    await expect.poll(async () => (await children(channelId)).length, { timeout: 60_000 }).toBe(2);
    await childBecomes(channelId, 'mempool');
    await emptyBlock(settlementTxid, Buffer.from(child.raw).toString('hex'));
    await fleet.becomes(channelId, 'settled');
    await expect.poll(async () => (await children(channelId))[0]?.state, { timeout: 40_000 }).toBe('confirmed');
    await agreed();
    expect((await held('child-fee')) - before).toBe(child.feeSat);
    await fleet.regtest.mine(5);
    await childBecomes(channelId, 'void');
    await agreed();
  });

  it('gives a replaced coin to nobody while its child lives', async () => {
    const { child } = await ended(3);
    const steal = fleet.prisma.$executeRaw`
      UPDATE "channel"."treasury_coin" SET "lockedBy" = NULL WHERE "lockedBy" = ${child.txid}`;
    await expect(steal).rejects.toThrow('SF009');
    await expect(fleet.prisma.$executeRaw`DELETE FROM "channel"."treasury_coin"`).rejects.toThrow('SF007');
    const tamper = fleet.prisma.$executeRaw`
      UPDATE "channel"."treasury_transaction" SET "feeSat" = 1 WHERE "txid" = ${child.txid}`;
    await expect(tamper).rejects.toThrow('SF008');
    await fleet.regtest.mine();
  });
});
