import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';
import type { TestBuyer } from '../testing/test-buyer.js';
import type { Payment } from '../testing/regtest.js';

const WAIT = { timeout: 40_000, interval: 50 };

describe('an unconfirmed funding that may not be mined', () => {
  let fleet: TestFleet;
  let service: ServiceProcess;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    service = fleet.service('all');
    await service.start();
  });

  afterAll(() => fleet.close(service));

  const told = (channelId: string) => fleet.verdicts.filter((verdict) => verdict.channelId === channelId).at(-1);

  /** A channel whose funding is in the mempool, served by its allowance. */
  async function served(): Promise<{ channelId: string; buyer: TestBuyer; funding: Payment }> {
    const { channelId, buyer } = await fleet.joined();
    const funding = await fleet.payment({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    await fleet.regtest.send(funding);
    expect(await fleet.ready(channelId, buyer, funding.txid)).toMatchObject({ kind: 'allowance' });
    buyer.funded(funding.txid);
    return { channelId, buyer, funding };
  }

  /** Pushes a funding out of the mempool; resolves when the node was told to stop. */
  async function replaced({ channelId, funding }: { channelId: string; funding: Payment }): Promise<Payment> {
    const rival = await fleet.regtest.rivalOf(funding);
    await fleet.regtest.send(rival);
    await expect.poll(() => told(channelId)?.kind, WAIT).toBe('wait');
    // Gone first, then known by whom: both stop it, and the second is what is waited for.
    await expect.poll(() => told(channelId), WAIT).toMatchObject({ kind: 'wait', code: 'funding-conflict' });
    expect(told(channelId)?.detail).toContain(rival.txid);
    expect(await fleet.row(channelId)).toMatchObject({ state: 'funding-seen', stateReason: 'funding-conflict' });
    return rival;
  }

  it('gets nothing before a block where it says that it may be replaced, or has an unconfirmed ancestor', async () => {
    const [first, second] = [await fleet.joined(), await fleet.joined()];
    const wanted = ({ buyer }: typeof first) => ({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    const replaceable = await fleet.replaceable(wanted(first));
    await fleet.regtest.send(replaceable);
    const laden = await fleet.unconfirmed(wanted(second));
    await fleet.regtest.send(laden);
    const waits = (code: string) => ({ kind: 'wait', code, allowanceBytes: 0 });
    expect(await fleet.ready(first.channelId, first.buyer, replaceable.txid)).toMatchObject(waits('replaceable'));
    expect(await fleet.ready(second.channelId, second.buyer, laden.txid)).toMatchObject(waits('unconfirmed-ancestors'));
    await fleet.regtest.mine();
    for (const { channelId } of [first, second]) await fleet.becomes(channelId, 'funded');
  });

  it('is not served at all when it was replaced before it was presented', async () => {
    const { channelId, buyer } = await fleet.joined();
    const funding = await fleet.payment({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    await fleet.regtest.send(funding);
    await fleet.regtest.send(await fleet.regtest.rivalOf(funding));
    expect(await fleet.ready(channelId, buyer, funding.txid)).toMatchObject({ kind: 'wait', code: 'funding-unseen' });
    await fleet.regtest.mine();
    expect(await fleet.ready(channelId, buyer, funding.txid)).toMatchObject({ kind: 'wait', code: 'funding-unseen' });
    expect(await fleet.row(channelId)).toMatchObject({ outpointClaimed: false, allowanceBytes: null });
  });

  it('stops at once when it is replaced, and goes on when it is mined all the same', async () => {
    const sale = await served();
    await replaced(sale);
    await fleet.regtest.mineOnly(sale.funding);
    await fleet.becomes(sale.channelId, 'funded');
    await expect.poll(() => told(sale.channelId), WAIT).toMatchObject({ kind: 'all' });
  });

  it('is over when its rival is mined, lost when that is final, and settled when a reorganisation brings it back', async () => {
    const sale = await served();
    const { channelId, buyer } = sale;
    const seq = await fleet.publish({ payments: [{ channelId, k: 50, signature: buyer.pay(50) }] });
    await fleet.committed(seq);
    const rival = await replaced(sale);
    await fleet.regtest.mineOnly(rival);
    const forked = await fleet.regtest.call<string>('getbestblockhash');
    const missing = await fleet.becomes(channelId, 'funding-missing');
    expect(missing).toMatchObject({ stateReason: 'funding-double-spent', frozenK: 50n });
    await expect.poll(() => told(channelId), WAIT).toMatchObject({ kind: 'refuse', code: 'funding-double-spent' });
    const before = (await readBalances(fleet.prisma)).get('lost') ?? 0n;

    await fleet.regtest.mine(5);
    expect(await fleet.becomes(channelId, 'lost')).toMatchObject({ stateReason: 'funding-double-spent' });
    const owedSat = 50n * fleet.terms.priceSat;
    expect(((await readBalances(fleet.prisma)).get('lost') ?? 0n) - before).toBe(owedSat);
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);

    await fleet.regtest.call('invalidateblock', forked);
    await fleet.regtest.mineOnly(sale.funding);
    await fleet.regtest.mine(6);
    const { settlementTxid } = await fleet.becomes(channelId, 'settling');
    await expect.poll(() => fleet.regtest.call<string[]>('getrawmempool'), WAIT).toContain(settlementTxid);
    await fleet.regtest.mine(6);
    await fleet.becomes(channelId, 'buried');
    expect((await readBalances(fleet.prisma)).get('lost') ?? 0n).toBe(before);
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });
});
