import { randomUUID } from 'node:crypto';
import { nodeRelease, paymentWatermark } from '@seedfleet/bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { K_CAP, TestFleet } from '../testing/test-fleet.js';

describe('payment intake', () => {
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

  const parked = async (channelId: string): Promise<string[]> => {
    const rows = await fleet.prisma.parkedPayment.findMany({ where: { channelId }, orderBy: { id: 'asc' } });
    return rows.map(({ code }) => code);
  };

  it('keeps the highest good payment under replay, reordering and duplicates', async () => {
    const { channelId, buyer } = await fleet.funded();
    const pay = (k: number) => ({ channelId, k, signature: buyer.pay(k) });
    await fleet.publish({ payments: [pay(3), pay(1), pay(2)] });
    await fleet.publish({ payments: [pay(7), pay(7)] });
    await fleet.publish({ payments: [pay(2), pay(5)] });
    const seq = await fleet.publish({ payments: [pay(7), pay(1)] });
    await fleet.committed(seq);
    const row = await fleet.row(channelId);
    expect(row.k).toBe(7n);
    expect(Buffer.from(row.signature ?? []).toString('hex')).toBe(Buffer.from(buyer.pay(7)).toString('hex'));
    expect(await parked(channelId)).toEqual([]);
  });

  it('parks junk and foreign payments, quarantines their node, and serves the others as before', async () => {
    const mine = await fleet.funded();
    const other = await fleet.funded();
    const good = { channelId: mine.channelId, k: 4, signature: mine.buyer.pay(4) };
    await fleet.committed(await fleet.publish({ payments: [good] }));

    const seq = await fleet.publish(
      {
        payments: [{ channelId: mine.channelId, k: 5, signature: mine.buyer.pay(5) }],
        ends: [{ channelId: mine.channelId, k: 5, reason: 'peer-closed' }],
      },
      'node-evil',
    );
    await fleet.committed(seq);
    const junk = await fleet.publish({
      payments: [
        { channelId: mine.channelId, k: 60, signature: mine.buyer.pay(4) },
        { channelId: mine.channelId, k: K_CAP + 1, signature: mine.buyer.pay(K_CAP + 1) },
        { channelId: randomUUID(), k: 1, signature: mine.buyer.pay(1) },
        { channelId: other.channelId, k: 9, signature: other.buyer.pay(9) },
      ],
    });
    await fleet.committed(junk);
    expect(await fleet.row(mine.channelId)).toMatchObject({ k: 4n, state: 'funded' });
    expect(await fleet.row(other.channelId)).toMatchObject({ k: 9n });
    expect(await parked(mine.channelId)).toEqual([
      'foreign-channel',
      'foreign-channel',
      'beyond-k-cap',
      'invalid-signature',
    ]);
    const quarantined = await fleet.prisma.quarantinedNode.findMany({ orderBy: { nodeId: 'asc' } });
    expect(quarantined.map(({ nodeId, reason }) => [nodeId, reason])).toEqual([
      ['node-1', 'beyond-k-cap'],
      ['node-evil', 'foreign-channel'],
    ]);
    expect(await fleet.join()).toMatchObject({ opened: false, code: 'node-quarantined' });
    expect(await fleet.join({ nodeId: 'node-2' })).toMatchObject({ opened: true });
    // What a quarantined node goes on sending is counted, not stored.
    const more = { channelId: mine.channelId, k: 61, signature: mine.buyer.pay(4) };
    await fleet.committed(await fleet.publish({ payments: [more] }));
    expect(await parked(mine.channelId)).toHaveLength(4);
    // Until a person releases it.
    const release = (nodeId: string) =>
      fleet.bus.request(nodeRelease, { nodeId, why: 'the build is fixed', releasedBy: 'key:1' });
    expect(await release('node-1')).toMatchObject({ value: { released: true, reason: 'beyond-k-cap' } });
    expect(await release('node-1')).toMatchObject({ value: { released: false } });
    expect(await fleet.join()).toMatchObject({ opened: true });
    expect(await release('node-evil')).toMatchObject({ value: { released: true } });
  });

  it('freezes k with the end of the channel, and keeps what comes later apart', async () => {
    const { channelId, buyer } = await fleet.funded();
    const seq = await fleet.publish({
      payments: [{ channelId, k: 20, signature: buyer.pay(20) }],
      ends: [{ channelId, k: 20, reason: 'peer-closed' }],
    });
    await fleet.committed(seq);
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 21, signature: buyer.pay(21) }] }));
    expect(await fleet.row(channelId)).toMatchObject({ k: 20n, frozenK: 20n, closeReason: 'peer-closed' });
    expect(await parked(channelId)).toEqual(['after-freeze']);
    expect(await fleet.prisma.quarantinedNode.count()).toBe(0);
  });

  it('waits for a payment that the node announced with the end', async () => {
    const { channelId, buyer } = await fleet.funded();
    const end = await fleet.publish({ ends: [{ channelId, k: 15, reason: 'peer-closed' }] });
    await fleet.committed(end);
    expect(await fleet.row(channelId)).toMatchObject({ state: 'closing', frozenK: null });
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 15, signature: buyer.pay(15) }] }));
    expect((await fleet.row(channelId)).k).toBe(15n);
    expect(await fleet.becomes(channelId, 'settling')).toMatchObject({ k: 15n, frozenK: 15n });
  });

  it('waits for payments on their way where the funding is refused in mid-sale', async () => {
    const { channelId, buyer } = await fleet.joined();
    const funding = await fleet.payment({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    await fleet.regtest.send(funding);
    expect(await fleet.ready(channelId, buyer, funding.txid)).toMatchObject({ kind: 'allowance' });
    buyer.funded(funding.txid);
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 11, signature: buyer.pay(11) }] }));
    await fleet.prisma.channel.update({
      where: { id: channelId },
      data: { fundingSeenAt: new Date(Date.now() - 7 * 3_600_000), nextActionAt: new Date() },
    });
    await fleet.becomes(channelId, 'closing');
    const late = { channelId, k: 12, signature: buyer.pay(12) };
    await fleet.committed(await fleet.publish({ payments: [late] }));
    expect(await parked(channelId)).toEqual([]);
    expect(await fleet.becomes(channelId, 'settling')).toMatchObject({
      frozenK: 12n,
      closeReason: 'unconfirmed-too-long',
    });
  });

  it.each([
    ['a failover', true],
    ['a restore that nobody was told of', false],
  ])('loses no payment where %s took commits back, with the watermark', async (_what, areCut) => {
    const { channelId, buyer } = await fleet.funded();
    const pay = (k: number) => ({ channelId, k, signature: buyer.pay(k) });
    const before = await fleet.publish({ payments: [pay(4)] });
    await fleet.committed(before);
    const { signature } = await fleet.row(channelId);
    const last = await fleet.publish({ payments: [pay(5)] });
    await fleet.committed(last);
    // What a standby that was a little behind holds after it took over; its clients lose their connections, mostly.
    await fleet.prisma.$transaction([
      fleet.prisma.$executeRaw`ALTER TABLE "channel"."channel" DISABLE TRIGGER "guard_channel"`,
      fleet.prisma.channel.update({ where: { id: channelId }, data: { k: 4n, signature } }),
      fleet.prisma.$executeRaw`ALTER TABLE "channel"."channel" ENABLE TRIGGER "guard_channel"`,
      fleet.prisma.paymentWatermark.updateMany({ data: { committedSeq: BigInt(before) } }),
      fleet.prisma.$executeRaw`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${areCut}`,
    ]);
    // The next payment, of whoever, must not carry the watermark past those that are gone.
    const other = await fleet.funded();
    const next = await fleet.publish({
      payments: [{ channelId: other.channelId, k: 4, signature: other.buyer.pay(4) }],
    });
    await fleet.committed(next);
    expect((await fleet.row(channelId)).k).toBe(5n);
  });

  it('closes at kCap without being told', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: K_CAP, signature: buyer.pay(K_CAP) }] }));
    expect(await fleet.row(channelId)).toMatchObject({ frozenK: 100n, closeReason: 'k-cap' });
  });

  it('stores a payment beside the end of a channel that has none, in either order', async () => {
    for (const paysFirst of [false, true]) {
      const pair = [await fleet.funded(), await fleet.funded()];
      pair.sort((a, b) => (a.channelId < b.channelId === paysFirst ? -1 : 1));
      const [payer, leaver] = pair as [(typeof pair)[0], (typeof pair)[0]];
      const seq = await fleet.publish({
        payments: [{ channelId: payer.channelId, k: 14, signature: payer.buyer.pay(14) }],
        ends: [{ channelId: leaver.channelId, k: 0, reason: 'peer-closed' }],
      });
      await fleet.committed(seq);
      expect(Buffer.from((await fleet.row(payer.channelId)).signature ?? []).toString('hex')).toBe(
        Buffer.from(payer.buyer.pay(14)).toString('hex'),
      );
      await fleet.becomes(leaver.channelId, 'nothing-owed');
    }
  });

  it('goes on after all its database connections were cut', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.prisma.$executeRaw`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    await fleet.committed(await fleet.publish({ payments: [{ channelId, k: 6, signature: buyer.pay(6) }] }));
    expect((await fleet.row(channelId)).k).toBe(6n);
    expect((await intake.fetch('/health')).status).toBe(200);
    expect((await settler.fetch('/health')).status).toBe(200);
  });

  it('goes on where the database stands after it was killed, and after the database was set back', async () => {
    const { channelId, buyer } = await fleet.funded();
    const pay = (k: number) => ({ channelId, k, signature: buyer.pay(k) });
    await fleet.committed(await fleet.publish({ payments: [pay(10)] }));
    await intake.end('SIGKILL');
    const whileDown = await fleet.publish({ payments: [pay(11)] });
    await intake.start();
    await fleet.committed(whileDown);
    expect((await fleet.row(channelId)).k).toBe(11n);

    const parkedBefore = await fleet.prisma.parkedPayment.count();
    await intake.end('SIGTERM');
    await fleet.prisma.paymentWatermark.updateMany({ data: { committedSeq: 0n } });
    const watermarks: bigint[] = [];
    const heard = fleet.bus.subscribe(paymentWatermark, [], (mark) => void watermarks.push(mark.committedSeq));
    await intake.start();
    await fleet.committed(whileDown);
    expect((await fleet.row(channelId)).k).toBe(11n);
    await expect.poll(() => watermarks.at(-1)).toBeGreaterThanOrEqual(BigInt(whileDown));
    heard.unsubscribe();
    // Everything was judged again: what is parked twice was junk before, and no balance has changed.
    expect(await fleet.prisma.parkedPayment.count()).toBeGreaterThanOrEqual(parkedBefore);
    await fleet.prisma.quarantinedNode.deleteMany();
  });
});
