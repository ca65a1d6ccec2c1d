import type { Account } from '@seedfleet/books';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { K_MIN, TestFleet } from '../testing/test-fleet.js';
import { readBalances, reconcile } from './reconcile.js';

describe('the books of real sales', () => {
  let fleet: TestFleet;
  let service: ServiceProcess;
  const channels: string[] = [];

  beforeAll(async () => {
    fleet = await TestFleet.open();
    service = fleet.service('all');
    await service.start();
  });

  afterAll(() => fleet.close(service));

  /** Channels that ended after these payments, all at once: opening one mines a block. */
  async function endedAfter(...ks: number[]): Promise<void> {
    const payments = [];
    for (const k of ks) {
      const { channelId, buyer } = await fleet.funded();
      payments.push({ channelId, k, signature: buyer.pay(k) });
      channels.push(channelId);
    }
    const ends = payments.map(({ channelId, k }) => ({ channelId, k, reason: 'peer-closed' }));
    await fleet.committed(await fleet.publish({ payments, ends }));
  }

  /** What the Bitcoin node itself has of our settlements in blocks: our outputs and what the miners got, satoshi. */
  async function chainSat(): Promise<{ readonly ours: bigint; readonly fees: bigint }> {
    let [ours, fees] = [0n, 0n];
    for (const id of channels) {
      const { settlementTxid, fundingValueSat } = await fleet.row(id);
      const transaction = await fleet.regtest.transaction(settlementTxid ?? '').catch(() => null);
      if (transaction === null || (transaction.confirmations ?? 0) < 1) continue;
      const outputs = transaction.vout.map(({ value }) => BigInt(Math.round(value * 1e8)));
      ours += outputs[1] ?? 0n;
      fees += (fundingValueSat ?? 0n) - outputs.reduce((sum, sat) => sum + sat, 0n);
    }
    return { ours, fees };
  }

  /** Waits until books, channels and chain-watcher agree without any grace, then asks the node itself. */
  async function agreed(): Promise<ReadonlyMap<Account, bigint>> {
    await expect.poll(() => reconcile(fleet.prisma, 0), { timeout: 20_000, interval: 100 }).toEqual([]);
    return readBalances(fleet.prisma);
  }

  const held = (balances: ReadonlyMap<Account, bigint>, ...accounts: Account[]): bigint =>
    accounts.reduce((sum, account) => sum + (balances.get(account) ?? 0n), 0n);

  const everyBecomes = (state: 'settling' | 'settled'): Promise<unknown> =>
    Promise.all(channels.map((id) => fleet.becomes(id, state)));

  it('agree with the node when settlements are sent, mined, reorganised away, mined again and final', async () => {
    const { priceSat, settlementFeeSat } = fleet.terms;
    const grossSat = 119n * priceSat;
    const returnedSat = 9n * priceSat;
    await endedAfter(50, 60, K_MIN - 1);
    await everyBecomes('settling');
    await expect
      .poll(() => fleet.prisma.broadcast.count({ where: { state: 'mempool' } }), { timeout: 30_000 })
      .toBe(channels.length);
    const sent = await agreed();
    expect(held(sent, 'broadcast')).toBe(grossSat - returnedSat - 2n * settlementFeeSat);
    expect(held(sent, 'confirmed', 'buried', 'settlement-fee')).toBe(0n);

    await fleet.regtest.mine();
    await everyBecomes('settled');
    const mined = await agreed();
    const onChain = await chainSat();
    expect(held(mined, 'confirmed')).toBe(onChain.ours);
    expect(held(mined, 'settlement-fee', 'uncollectable')).toBe(onChain.fees);
    expect(onChain.ours + onChain.fees).toBe(grossSat);

    await fleet.regtest.call('invalidateblock', await fleet.regtest.call<string>('getbestblockhash'));
    await fleet.regtest.call('generateblock', await fleet.regtest.call<string>('getnewaddress'), []);
    await everyBecomes('settling');
    const restated = await agreed();
    expect(await chainSat()).toEqual({ ours: 0n, fees: 0n });
    expect(held(restated, 'confirmed', 'buried', 'settlement-fee')).toBe(0n);
    expect(held(restated, 'broadcast')).toBe(held(sent, 'broadcast'));

    await fleet.regtest.mine();
    await everyBecomes('settled');
    expect(held(await agreed(), 'confirmed')).toBe(onChain.ours);
    await fleet.regtest.mine(5);
    await Promise.all([
      fleet.becomes(channels[0] ?? '', 'buried'),
      fleet.becomes(channels[1] ?? '', 'buried'),
      fleet.becomes(channels[2] ?? '', 'returned'),
    ]);
    const final = await agreed();
    const buried = await chainSat();
    expect(held(final, 'buried')).toBe(buried.ours);
    expect(held(final, 'settlement-fee')).toBe(2n * settlementFeeSat);
    expect(held(final, 'settlement-fee', 'uncollectable')).toBe(buried.fees);
    expect(held(final, 'revenue')).toBe(-grossSat);
    expect(held(final, 'accrued', 'collectable', 'settlement-fee-reserved', 'broadcast', 'confirmed')).toBe(0n);
  });

  it('show the restatement', async () => {
    const [first = ''] = channels;
    const lines = await fleet.prisma.$queryRaw<{ reason: string; amountSat: bigint }[]>`
      SELECT "reason", "amountSat" FROM "channel"."book_line"
      WHERE "channelId" = ${first}::uuid AND "account" = 'confirmed' ORDER BY "postingId"`;
    expect(lines.map(({ reason, amountSat }) => [reason, amountSat > 0n])).toEqual([
      ['mined', true],
      ['reorganised', false],
      ['mined', true],
      ['buried', false],
    ]);
  });
});
