import { wasmEcdsa } from '@seedfleet/payment-channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBalances, reconcile } from '../books/reconcile.js';
import { channelParameters } from '../channels/parameters.js';
import { openOrCreateSeed } from '../keys/seed-store.js';
import { SeedSigner } from '../keys/signer.js';
import type { ServiceProcess } from '../testing/service-process.js';
import type { TestBuyer } from '../testing/test-buyer.js';
import { TestFleet } from '../testing/test-fleet.js';
import { TestTower, type HeldOrder } from '../testing/test-tower.js';

const WAIT = { timeout: 60_000, interval: 100 };

describe('a tower that holds the settlement of a payment which the database does not know', () => {
  let fleet: TestFleet;
  let tower: TestTower;
  let service: ServiceProcess;
  let signer: SeedSigner;

  beforeAll(async () => {
    fleet = await TestFleet.open('regtest', { TOWER: 'true' });
    tower = await TestTower.open(fleet.fleetId);
    service = fleet.service('all', { TOWER: 'true' });
    await service.start();
    const seed = openOrCreateSeed({ seedFile: fleet.seedFile, keyFile: fleet.keyFile }, null);
    const rules = { childFeePercent: 0n, treasuryFeePercent: 0n, destination: null };
    signer = new SeedSigner(seed, fleet.network, wasmEcdsa, rules);
  });

  afterAll(async () => {
    await tower.close();
    await fleet.close(service);
  });

  async function settlement(channelId: string, k: number, signature: Uint8Array) {
    const row = await fleet.row(channelId);
    const channel = channelParameters(row, fleet.network);
    if (channel === null) throw new Error('not funded');
    const path = { epoch: row.keyEpoch, index: row.keyIndex };
    const signed = await signer.signSettlement({ path, channel, k, buyerSignature: signature });
    if (!signed.ok) throw new Error(signed.code);
    return { txid: signed.transaction.txid, raw: new Uint8Array(signed.transaction.bytes) };
  }

  const paid = async (channelId: string, buyer: TestBuyer, k: number): Promise<void> => {
    if (k > 0) await fleet.committed(await fleet.publish({ payments: [{ channelId, k, signature: buyer.pay(k) }] }));
  };

  /** A silent tower is waited for for a minute: that is over. */
  const minuteLater = (channelId: string): Promise<number> => fleet.prisma.$executeRaw`
    UPDATE "channel"."channel" SET "stateEnteredAt" = now() - interval '2 minutes'
    WHERE "id" = ${channelId}::uuid AND "state" = 'closing' AND "frozenK" IS NOT NULL
      AND "stateEnteredAt" < now() - interval '3 seconds'`;

  it('has it settled, and the payment booked: above the first collectable one, below it, and where nothing was known', async () => {
    const known = [42, 1, 0];
    const channels = await fleet.fundedTogether(known.length);
    const before = (await readBalances(fleet.prisma)).get('buried') ?? 0n;
    for (const [place, { channelId, buyer }] of channels.entries()) {
      tower.holds(channelId, await settlement(channelId, 60, buyer.pay(60)));
      await paid(channelId, buyer, known[place] ?? 0);
    }
    await fleet.publish({
      ends: channels.map(({ channelId }, place) => ({ channelId, k: known[place] ?? 0, reason: 'peer-closed' })),
    });
    for (const { channelId } of channels) {
      await expect.poll(async () => (await fleet.row(channelId)).settlementTxid, WAIT).not.toBeNull();
      const { k, frozenK, settledK } = await fleet.row(channelId);
      expect([k, frozenK, settledK]).toEqual([60n, 60n, null]);
      expect(await fleet.story(channelId)).toContain('settling:later-payment-held');
      await expect.poll(async () => (await fleet.row(channelId)).stateReason, WAIT).toBe('broadcast');
    }
    await fleet.regtest.mine(7);
    for (const { channelId } of channels) await fleet.becomes(channelId, 'buried');
    const earnedSat = 60n * fleet.terms.priceSat - fleet.terms.settlementFeeSat;
    expect(((await readBalances(fleet.prisma)).get('buried') ?? 0n) - before).toBe(3n * earnedSat);
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });

  it('has it known while the sale goes on: a lower payment changes nothing, a higher one is taken', async () => {
    const { channelId, buyer } = await fleet.funded();
    tower.holds(channelId, { ...(await settlement(channelId, 60, buyer.pay(60))), version: 2 });
    // The answer to a first version comes before the tower's word; the second one meets it.
    await paid(channelId, buyer, 12);
    await expect.poll(() => tower.heard(channelId), WAIT).toBe(1);
    await paid(channelId, buyer, 55);
    await expect.poll(async () => (await fleet.row(channelId)).k, WAIT).toBe(60n);
    expect(await fleet.story(channelId)).toContain('funded:later-payment-held');
    await paid(channelId, buyer, 57);
    expect((await fleet.row(channelId)).k).toBe(60n);
    await paid(channelId, buyer, 61);
    expect(await fleet.row(channelId)).toMatchObject({ k: 61n, state: 'funded' });
    await fleet.publish({ ends: [{ channelId, k: 61, reason: 'peer-closed' }] });
    await expect.poll(async () => (await fleet.row(channelId)).settlementTxid, WAIT).not.toBeNull();
    expect(await fleet.story(channelId)).toContain('settling:stored');
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });

  it('is remembered by chain-watcher when the database is put back under it, and the tower falls silent', async () => {
    const { channelId, buyer } = await fleet.funded();
    const held = { ...(await settlement(channelId, 60, buyer.pay(60))), version: 2 };
    tower.holds(channelId, held);
    await paid(channelId, buyer, 12);
    await expect.poll(() => tower.heard(channelId), WAIT).toBe(1);
    tower.hides(channelId, held);
    await fleet.prisma.$executeRaw`DELETE FROM "chain"."dated_order" WHERE "id" = ${channelId}::uuid`;
    await fleet.publish({ ends: [{ channelId, k: 12, reason: 'peer-closed' }] });
    await expect
      .poll(async () => {
        await minuteLater(channelId);
        return (await fleet.row(channelId)).settlementTxid;
      }, WAIT)
      .not.toBeNull();
    expect(await fleet.row(channelId)).toMatchObject({ k: 60n, frozenK: 60n });
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });

  it('keeps it against several lower versions: it is settled, and what proves nothing gives way', async () => {
    const channels = await fleet.fundedTogether(3);
    const kept: ((channelId: string, buyer: TestBuyer) => Promise<Partial<HeldOrder>>)[] = [
      async (channelId, buyer) => settlement(channelId, 60, buyer.pay(60)),
      async () => ({ raw: Uint8Array.of(1, 2, 3), txid: 'ab'.repeat(32) }),
      // Within the buyer's signature.
      async (channelId, buyer) => {
        const { raw, txid } = await settlement(channelId, 60, buyer.pay(60));
        raw[60]! ^= 1;
        return { raw, txid };
      },
    ];
    for (const [place, { channelId, buyer }] of channels.entries()) {
      tower.keeps(channelId, (await kept[place]?.(channelId, buyer)) ?? {});
      await paid(channelId, buyer, 42);
    }
    for (const { channelId } of channels) await expect.poll(() => tower.heard(channelId), WAIT).toBeGreaterThan(0);
    await fleet.publish({ ends: channels.map(({ channelId }) => ({ channelId, k: 42, reason: 'peer-closed' })) });
    const due = [60n, 42n, 42n];
    for (const [place, { channelId }] of channels.entries()) {
      await expect.poll(async () => (await fleet.row(channelId)).settlementTxid, WAIT).not.toBeNull();
      expect((await fleet.row(channelId)).frozenK).toBe(due[place]);
      // It was not settled because the tower's minute was over: that would have been without its word.
      const { settlementTxid } = await fleet.row(channelId);
      expect(tower.txidOf(channelId)).toBe(settlementTxid);
    }
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });

  it('is waited for beyond its minute until the margin begins, by channels that are older than what was heard of it', async () => {
    const channels = await fleet.fundedTogether(4);
    const known = [42, 0, 42, 42];
    for (const [place, { channelId, buyer }] of channels.entries()) {
      tower.hides(channelId, await settlement(channelId, 60, buyer.pay(60)));
      await paid(channelId, buyer, known[place] ?? 0);
    }
    const [of, unpaid, due, young] = channels.map(({ channelId }) => channelId);
    if (of === undefined || unpaid === undefined || due === undefined || young === undefined)
      throw new Error('no channel');
    const old = [of, unpaid, due];
    await fleet.prisma.$executeRaw`
      UPDATE "channel"."channel" SET "createdAt" = now() - interval '1 day' WHERE "id" = ANY(${old}::uuid[])`;
    await fleet.publish({
      ends: channels.map(({ channelId }, place) => ({ channelId, k: known[place] ?? 0, reason: 'peer-closed' })),
    });
    const isSettled = async (channelId: string): Promise<boolean> => {
      await minuteLater(channelId);
      return (await fleet.row(channelId)).settlementTxid !== null;
    };
    await expect.poll(() => isSettled(young), WAIT).toBe(true);
    expect(await fleet.row(young)).toMatchObject({ k: 42n, frozenK: 42n });
    // Looked at when the minute was over, and to be looked at again only in a while.
    const isPatient = async (channelId: string): Promise<boolean> => {
      await minuteLater(channelId);
      const { state, nextActionAt } = await fleet.row(channelId);
      return state === 'closing' && nextActionAt !== null && nextActionAt.getTime() > Date.now() + 5_000;
    };
    for (const channelId of old) await expect.poll(() => isPatient(channelId), WAIT).toBe(true);
    await tower.speaks(of);
    await tower.speaks(unpaid);
    await fleet.prisma.$executeRaw`UPDATE "channel"."channel" SET "deadlineMtp" = 1 WHERE "id" = ${due}::uuid`;
    for (const [channelId, k] of [
      [of, 60n],
      [unpaid, 60n],
      [due, 42n],
    ] as const) {
      await expect.poll(() => isSettled(channelId), WAIT).toBe(true);
      expect(await fleet.row(channelId)).toMatchObject({ k, frozenK: k });
    }
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });

  it('is not believed what the buyer has not signed for this channel, and keeps nothing from being settled', async () => {
    const channels = await fleet.fundedTogether(7);
    const [of] = channels;
    if (of === undefined) throw new Error('no channel');
    const lies: ((channelId: string, buyer: TestBuyer) => Promise<Partial<HeldOrder>>)[] = [
      async () => ({ raw: Uint8Array.of(1, 2, 3) }),
      async () => settlement(of.channelId, 60, of.buyer.pay(60)),
      async (channelId, buyer) => {
        const { raw } = await settlement(channelId, 60, buyer.pay(60));
        // Within the buyer's signature.
        raw[60]! ^= 1;
        return { raw };
      },
      async (channelId, buyer) => settlement(channelId, 20, buyer.pay(20)),
      // "It is sent": nothing like it will ever be mined, or be seen by anybody.
      async (channelId, buyer) => {
        const { raw, txid } = await settlement(channelId, 20, buyer.pay(20));
        raw[raw.length - 120]! ^= 1;
        return { state: 'fired', sent: { txid, raw } };
      },
      async (channelId) => {
        tower.outbids(channelId);
        return {};
      },
      async () => ({ state: 'found', sent: { txid: 'ab'.repeat(32), raw: null } }),
    ];
    for (const [place, { channelId, buyer }] of channels.entries()) {
      await paid(channelId, buyer, 42);
      tower.holds(channelId, (await lies[place]?.(channelId, buyer)) ?? {});
    }
    await fleet.publish({ ends: channels.map(({ channelId }) => ({ channelId, k: 42, reason: 'peer-closed' })) });
    for (const { channelId } of channels) {
      await expect
        .poll(async () => {
          await minuteLater(channelId);
          return (await fleet.row(channelId)).settlementTxid;
        }, WAIT)
        .not.toBeNull();
      expect(await fleet.row(channelId)).toMatchObject({ k: 42n, frozenK: 42n, settledK: null });
    }
    await expect.poll(() => reconcile(fleet.prisma, 0), WAIT).toEqual([]);
  });
});
