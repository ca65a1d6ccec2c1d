import { decodeTransaction } from '@seedfleet/payment-channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';

describe('a settlement that was mined with other signatures', () => {
  let fleet: TestFleet;
  let service: ServiceProcess;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    service = fleet.service('all');
    await service.start();
  });

  afterAll(() => fleet.close(service));

  it('is recognised by its outputs and kept for a person, not booked as lost', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.publish({
      payments: [{ channelId, k: 42, signature: buyer.pay(42) }],
      ends: [{ channelId, k: 42, reason: 'peer-closed' }],
    });
    const { settlementRaw, settlementTxid } = await fleet.becomes(channelId, 'settling');
    const twin = decodeTransaction(settlementRaw ?? new Uint8Array());
    const input = twin?.ins[0];
    if (twin === undefined || input === undefined) throw new Error('no settlement');
    // One more item below the signatures: against the rules of relay, within those of blocks.
    input.script = Uint8Array.from([0x00, ...input.script]);
    expect(twin.getId()).not.toBe(settlementTxid);
    await fleet.regtest.call('generateblock', await fleet.regtest.call<string>('getnewaddress'), [twin.toHex()]);

    const detail = async (): Promise<unknown> =>
      (await fleet.prisma.channelEvent.findMany({ where: { channelId }, orderBy: { version: 'asc' } })).at(-1);
    const seen = { state: 'refund-seen', reason: 'settled-by-twin', data: { detail: twin.getId() } };
    await expect.poll(detail, { timeout: 40_000 }).toMatchObject(seen);
    await fleet.regtest.mine(6);
    // Looked at until the settler knows of the burial, and so looks but once an hour.
    const nextLookMs = async (): Promise<number> => {
      const next = (await fleet.row(channelId)).nextActionAt?.getTime() ?? Infinity;
      const where = { id: channelId, nextActionAt: { lt: new Date(Date.now() + 60_000) } };
      await fleet.prisma.channel.updateMany({ where, data: { nextActionAt: new Date() } });
      return next - Date.now();
    };
    await expect.poll(nextLookMs, { timeout: 40_000, interval: 500 }).toBeGreaterThan(60_000);
    expect(await detail()).toMatchObject(seen);
    expect((await readBalances(fleet.prisma)).get('lost') ?? 0n).toBe(0n);
    await expect.poll(() => reconcile(fleet.prisma, 0), { timeout: 40_000 }).toEqual([]);
  });
});
