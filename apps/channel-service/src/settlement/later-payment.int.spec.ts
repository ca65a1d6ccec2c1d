import { wasmEcdsa } from '@seedfleet/payment-channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import { openOrCreateSeed } from '../keys/seed-store.js';
import { SeedSigner } from '../keys/signer.js';
import { channelParameters } from '../channels/parameters.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';

const WAIT = { timeout: 40_000, interval: 100 };

describe('a settlement of a payment that the database does not know, as after a restore from an old copy', () => {
  let fleet: TestFleet;
  let service: ServiceProcess;
  let signer: SeedSigner;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    service = fleet.service('all');
    await service.start();
    const seed = openOrCreateSeed({ seedFile: fleet.seedFile, keyFile: fleet.keyFile }, null);
    const rules = { childFeePercent: 0n, treasuryFeePercent: 0n, destination: null };
    signer = new SeedSigner(seed, fleet.network, wasmEcdsa, rules);
  });

  afterAll(() => fleet.close(service));

  it.each([
    { known: 42, sent: 60, mined: true },
    { known: 42, sent: 60, mined: false },
    // So little that nothing of it would be ours.
    { known: 1, sent: 50, mined: true },
    { known: 0, sent: 50, mined: true },
  ])('is the settlement, and brings its payment along: $known known, $sent sent, mined: $mined', async (sale) => {
    const { channelId, buyer } = await fleet.funded();
    const before = (await readBalances(fleet.prisma)).get('buried') ?? 0n;
    if (sale.known > 0)
      await fleet.committed(
        await fleet.publish({ payments: [{ channelId, k: sale.known, signature: buyer.pay(sale.known) }] }),
      );
    const row = await fleet.row(channelId);
    const channel = channelParameters(row, fleet.network);
    if (channel === null) throw new Error('not funded');
    const signed = await signer.signSettlement({
      path: { epoch: row.keyEpoch, index: row.keyIndex },
      channel,
      k: sale.sent,
      buyerSignature: buyer.pay(sale.sent),
    });
    if (!signed.ok) throw new Error(signed.code);
    const { txid, bytes } = signed.transaction;
    await fleet.regtest.send({ txid, hex: Buffer.from(bytes).toString('hex') });
    if (sale.mined) await fleet.regtest.mine();
    await fleet.publish({ ends: [{ channelId, k: sale.known, reason: 'peer-closed' }] });

    await expect.poll(async () => (await fleet.row(channelId)).settlementTxid, WAIT).toBe(txid);
    const settling = await fleet.row(channelId);
    expect([settling.k, settling.frozenK, settling.settledK]).toEqual([BigInt(sale.sent), BigInt(sale.sent), null]);
    expect(await fleet.story(channelId)).toContain('settling:later-payment-sent');
    await fleet.regtest.mine(7);
    await fleet.becomes(channelId, 'buried');
    const earnedSat = BigInt(sale.sent) * fleet.terms.priceSat - fleet.terms.settlementFeeSat;
    expect(((await readBalances(fleet.prisma)).get('buried') ?? 0n) - before).toBe(earnedSat);
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });
});
