import { decodeTransaction } from '@seedfleet/payment-channel';
import { treasurySweep } from '@seedfleet/bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';

const WAIT = { timeout: 40_000, interval: 100 };

describe('a settlement that was mined with other signatures', () => {
  let fleet: TestFleet;
  let service: ServiceProcess;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    service = fleet.service('all', { TREASURY_ADDRESS: await fleet.regtest.call<string>('getnewaddress') });
    await service.start();
  });

  afterAll(() => fleet.close(service));

  /** A channel whose settlement waits in the mempool, and the same written in another way. */
  async function withTwin(): Promise<{ channelId: string; ours: string; twin: { txid: string; hex: string } }> {
    const { channelId, buyer } = await fleet.funded();
    await fleet.publish({
      payments: [{ channelId, k: 42, signature: buyer.pay(42) }],
      ends: [{ channelId, k: 42, reason: 'peer-closed' }],
    });
    const { settlementRaw, settlementTxid } = await fleet.becomes(channelId, 'settling');
    const ours = settlementTxid ?? '';
    await expect.poll(() => fleet.regtest.call<string[]>('getrawmempool'), WAIT).toContain(ours);
    const twin = decodeTransaction(settlementRaw ?? new Uint8Array());
    const input = twin?.ins[0];
    if (twin === undefined || input === undefined) throw new Error('no settlement');
    // One more item below the signatures: against the rules of relay, within those of blocks.
    input.script = Uint8Array.from([0x00, ...input.script]);
    expect(twin.getId()).not.toBe(ours);
    return { channelId, ours, twin: { txid: twin.getId(), hex: twin.toHex() } };
  }

  const agreed = (): Promise<void> => expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  const held = async (account: 'confirmed' | 'buried' | 'lost' | 'spent'): Promise<bigint> =>
    (await readBalances(fleet.prisma)).get(account) ?? 0n;

  it('is booked with the txid that was mined, buried, and swept from there', async () => {
    const { channelId, ours, twin } = await withTwin();
    await fleet.regtest.mineOnly(twin);
    const settled = await fleet.becomes(channelId, 'settled');
    expect(settled).toMatchObject({ stateReason: 'settled-by-twin', settlementTxid: ours, minedTxid: twin.txid });
    const owedSat = 42n * fleet.terms.priceSat - fleet.terms.settlementFeeSat;
    expect([await held('confirmed'), await held('lost')]).toEqual([owedSat, 0n]);
    await agreed();
    await fleet.regtest.mine(6);
    await fleet.becomes(channelId, 'buried');
    expect(await held('buried')).toBe(owedSat);
    // Ours is sent no more: what it would spend is gone for good.
    const sent = () => fleet.prisma.broadcast.findUniqueOrThrow({ where: { txid: ours } });
    await expect.poll(sent, WAIT).toMatchObject({ state: 'overtaken', nextAttemptAt: null, rivalTxid: twin.txid });
    await agreed();

    const { txid } = await fleet.ask(treasurySweep, { dryRun: false });
    const sweep = await fleet.regtest.call<{ vin: { txid: string; vout: number }[] }>('getrawtransaction', txid, true);
    expect(sweep.vin).toMatchObject([{ txid: twin.txid, vout: 1 }]);
    await fleet.regtest.mine(6);
    await expect.poll(() => held('spent'), WAIT).toBe(-owedSat);
    await agreed();
  });

  it('is booked back with its block, and ours is settled if that is mined in the end', async () => {
    const { channelId, ours, twin } = await withTwin();
    await fleet.regtest.mineOnly(twin);
    const forked = await fleet.regtest.call<string>('getbestblockhash');
    await fleet.becomes(channelId, 'settled');
    await fleet.regtest.call('invalidateblock', forked);
    await fleet.regtest.mineOnly();
    await fleet.regtest.mineOnly();
    const back = await fleet.becomes(channelId, 'settling');
    expect(back).toMatchObject({ stateReason: 'reorganised', minedTxid: null, minedRaw: null });
    await agreed();
    await expect.poll(() => fleet.regtest.call<string[]>('getrawmempool'), WAIT).toContain(ours);
    await fleet.regtest.mine(6);
    expect(await fleet.becomes(channelId, 'buried')).toMatchObject({ minedTxid: null, settlementTxid: ours });
    await agreed();
  });
});
