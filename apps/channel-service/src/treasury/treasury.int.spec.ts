import { treasuryGet, treasurySweep } from '@seedfleet/bus';
import { toHex } from '@seedfleet/payment-channel';
import { readColdWallet, type ColdWallet } from '@seedfleet/wallet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';
import type { TestBuyer } from '../testing/test-buyer.js';

const DESCRIPTOR =
  'wpkh(tpubDC5NKh8dwvxTyBbzKFJkdmKUrzJ25t3N6hnfATunrw8YWWYaaxdHKZm3fjqxoQ5xrrss5NTCC1T2cDaF1aZfpqimVJY3UNwT1dEGq5bypWo/0/*)';

function accountWallet(): ColdWallet {
  const read = readColdWallet(DESCRIPTOR, 'regtest');
  if (!read.ok) throw new Error(read.code);
  return read.wallet;
}

let fleet: TestFleet;
let service: ServiceProcess;
let cold: string;

beforeAll(async () => {
  fleet = await TestFleet.open();
  cold = await fleet.regtest.call<string>('getnewaddress');
  service = fleet.service('all', { TREASURY_ADDRESS: cold });
  await service.start();
});

afterAll(() => fleet.close(service));

async function settled(channels: readonly { channelId: string; buyer: TestBuyer }[], blocks: number): Promise<void> {
  for (const { channelId, buyer } of channels) {
    await fleet.publish({
      payments: [{ channelId, k: 60, signature: buyer.pay(60) }],
      ends: [{ channelId, k: 60, reason: 'peer-closed' }],
    });
  }
  for (const { channelId } of channels) {
    await fleet.becomes(channelId, 'settling');
    const inMempool = () =>
      fleet.prisma.broadcast.count({ where: { label: `settlement:${channelId}`, state: 'mempool' } });
    await expect.poll(inMempool, { timeout: 40_000 }).toBe(1);
  }
  await fleet.regtest.mine(blocks);
  for (const { channelId } of channels) await fleet.becomes(channelId, blocks < 6 ? 'settled' : 'buried');
}

const agreed = (): Promise<void> =>
  expect.poll(() => reconcile(fleet.prisma, 0), { timeout: 40_000, interval: 200 }).toEqual([]);

describe('the treasury', () => {
  let earnedSat: bigint;

  it('has nothing to sweep before a settlement is final', async () => {
    const channels = await fleet.fundedTogether(2);
    await settled(channels, 1);
    expect(await fleet.ask(treasurySweep, { dryRun: false })).toMatchObject({ kind: 'none', why: 'nothing-to-sweep' });
    await fleet.regtest.mine(5);
    for (const { channelId } of channels) await fleet.becomes(channelId, 'buried');
    const shown = await fleet.ask(treasuryGet, {});
    earnedSat = 2n * (60n * fleet.terms.priceSat - fleet.terms.settlementFeeSat);
    expect(shown).toMatchObject({ destination: cold, hotSat: earnedSat, spareSat: earnedSat, spareCoins: 2 });
    expect(shown.next).toEqual({ kind: 'none', why: 'too-few' });
  });

  it('says in a dry run what it would do, and does nothing', async () => {
    const dry = await fleet.ask(treasurySweep, { dryRun: true });
    expect(dry).toMatchObject({ kind: 'sweep', why: 'by-hand', inputs: 2, inputSat: earnedSat, txid: null });
    expect(dry.destination).toBe(cold);
    expect(await fleet.prisma.treasuryTransaction.count()).toBe(0);
  });

  it('sweeps to the configured address only, no coin twice, and every satoshi is booked', async () => {
    const [first, second] = await Promise.all([
      fleet.ask(treasurySweep, { dryRun: false }),
      fleet.ask(treasurySweep, { dryRun: false }),
    ]);
    const done = first.txid === null ? second : first;
    expect([first.txid, second.txid].filter((txid) => txid !== null)).toHaveLength(1);
    const txid = done.txid ?? '';
    const { vout } = await fleet.regtest.transaction(txid);
    const { scriptPubKey } = await fleet.regtest.call<{ scriptPubKey: string }>('validateaddress', cold);
    expect(vout.map(({ value, scriptPubKey: script }) => [BigInt(Math.round(value * 1e8)), script.hex])).toEqual([
      [earnedSat - done.feeSat, scriptPubKey],
    ]);
    expect((await readBalances(fleet.prisma)).get('swept')).toBeUndefined();
    await fleet.regtest.mine();
    const isConfirmed = async () => (await fleet.prisma.treasuryTransaction.findUnique({ where: { txid } }))?.state;
    await expect.poll(isConfirmed, { timeout: 40_000 }).toBe('confirmed');
    await agreed();
    const balances = await readBalances(fleet.prisma);
    expect(balances.get('swept')).toBe(earnedSat - done.feeSat);
    expect(balances.get('sweep-fee')).toBe(done.feeSat);
    expect(await fleet.ask(treasuryGet, {})).toMatchObject({
      hotSat: 0n,
      spareCoins: 0,
      sweptSat: earnedSat - done.feeSat,
    });

    await fleet.regtest.call('invalidateblock', await fleet.regtest.call<string>('getbestblockhash'));
    await fleet.regtest.call('generateblock', await fleet.regtest.call<string>('getnewaddress'), []);
    await expect.poll(isConfirmed, { timeout: 40_000 }).toBe('mempool');
    await agreed();
    expect((await fleet.ask(treasuryGet, {})).sweptSat).toBe(0n);
    await fleet.regtest.mine(6);
    await expect.poll(isConfirmed, { timeout: 40_000 }).toBe('buried');
    await agreed();
  });

  it('sweeps to the next address of an account, each once, and tells since when', async () => {
    const wallet = accountWallet();
    await service.end('SIGTERM');
    service = fleet.service('all', { TREASURY_XPUB: DESCRIPTOR });
    await service.start();
    const channels = await fleet.fundedTogether(2);
    await settled(channels, 6);
    await agreed();
    // Set aside by a sweep that never came to be.
    await fleet.prisma.treasuryAddress.create({ data: { wallet: wallet.id, index: 0, address: wallet.address(0) } });
    const dry = await fleet.ask(treasurySweep, { dryRun: true });
    expect(dry).toMatchObject({ kind: 'sweep', destination: wallet.address(0), txid: null });
    const done = await fleet.ask(treasurySweep, { dryRun: false });
    expect(done.destination).toBe(wallet.address(0));
    const { vout } = await fleet.regtest.transaction(done.txid ?? '');
    expect(vout.map(({ scriptPubKey }) => scriptPubKey.hex)).toEqual([toHex(wallet.script(0))]);
    const shown = await fleet.ask(treasuryGet, {});
    expect(shown).toMatchObject({ destination: wallet.label, nextAddress: wallet.address(1) });
    expect(shown.destinationSince).toBeGreaterThan(0);
    expect(await fleet.prisma.treasuryAddress.findMany()).toMatchObject([{ index: 0, txid: done.txid }]);
    expect(await fleet.prisma.treasuryDestination.findMany({ orderBy: { id: 'asc' } })).toMatchObject([
      { label: cold },
      { label: wallet.label },
    ]);
    await fleet.regtest.mine(6);
    const isBuried = async () =>
      (await fleet.prisma.treasuryTransaction.findUnique({ where: { txid: done.txid ?? '' } }))?.state;
    await expect.poll(isBuried, { timeout: 40_000 }).toBe('buried');
    await agreed();
  });

  it('refuses to start with an address of another network', async () => {
    const wrong = fleet.service('settler', { TREASURY_ADDRESS: '1BoatSLRHtKNngkdXEeobR76b53LETtpyT' });
    expect(await wrong.launch()).toBe(78);
    expect(wrong.log).toContain('TREASURY_ADDRESS');
  });
});
