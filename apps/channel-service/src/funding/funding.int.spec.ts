import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestBuyer } from '../testing/test-buyer.js';
import { K_CAP, K_MIN, TestFleet } from '../testing/test-fleet.js';

describe('the checks of a funding', () => {
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

  /** Pays some address as a funding, broadcasts it, and presents it. */
  async function present(
    buyer: TestBuyer,
    channelId: string,
    change: { address?: string; sat?: bigint; vout?: number } = {},
  ) {
    const address = change.address ?? buyer.fundingAddress();
    const payment = await fleet.payment({ address, sat: change.sat ?? fleet.valueSat });
    await fleet.regtest.send(payment);
    const verdict = await fleet.ready(channelId, buyer, payment.txid, { vout: change.vout ?? 0 });
    return { payment, verdict };
  }

  it.each([
    ['Kb is off the curve', { buyerPublicKey: new Uint8Array(33).fill(5) }, 'buyer-key-off-curve'],
    ['V is zero', { valueSat: 0n }, 'funding-value-out-of-range'],
    ['V is more than all money', { valueSat: 2_100_000_000_000_001n }, 'funding-value-out-of-range'],
    ['V can not carry the channel to kMin', { valueSat: 1_000n }, 'funding-below-k-min'],
    ['the index is absurd', { vout: 0xffff_ffff }, 'no-such-output'],
  ])('refuses a ready where %s', async (_, change, code) => {
    const { channelId, buyer } = await fleet.joined();
    const verdict = await fleet.ready(channelId, buyer, 'ab'.repeat(32), change);
    expect(verdict).toMatchObject({ kind: 'refuse', code });
    expect(await fleet.row(channelId)).toMatchObject({ state: 'refused', stateReason: code, nextActionAt: null });
  });

  it('refuses a buyer that presents our own key', async () => {
    const { channelId, buyer } = await fleet.joined();
    const buyerPublicKey = new Uint8Array(buyer.seller.sellerPublicKey);
    const verdict = await fleet.ready(channelId, buyer, 'ab'.repeat(32), { buyerPublicKey });
    expect(verdict).toMatchObject({ kind: 'refuse', code: 'keys-equal' });
  });

  it('refuses outputs that do not exist, are no P2SH, have another script, lock or value', async () => {
    const cases: [string, (buyer: TestBuyer) => { address?: string; sat?: bigint; vout?: number }][] = [
      ['no-such-output', () => ({ vout: 9 })],
      ['script-mismatch', (buyer) => ({ address: otherBuyersAddress(buyer) })],
      ['lock-mismatch', (buyer) => ({ address: buyer.fundingAddress(10) })],
      ['value-mismatch', () => ({ sat: fleet.valueSat - 1n })],
      ['value-mismatch', () => ({ sat: fleet.valueSat + 1n })],
    ];
    for (const [code, change] of cases) {
      const { channelId, buyer } = await fleet.joined();
      const { verdict } = await present(buyer, channelId, change(buyer));
      expect(verdict).toMatchObject({ kind: 'refuse', code });
      expect(await fleet.row(channelId)).toMatchObject({ state: 'refused', stateReason: code, outpointClaimed: false });
    }
    const { channelId, buyer } = await fleet.joined();
    const address = await fleet.regtest.call<string>('getnewaddress');
    expect((await present(buyer, channelId, { address })).verdict).toMatchObject({ kind: 'refuse', code: 'not-p2sh' });
  });

  it('refuses an outpoint that another channel holds', async () => {
    const { channelId, buyer } = await fleet.joined();
    const payment = await fleet.payment({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    await fleet.regtest.send(payment);
    // No script commits to two fresh keys, so only a fault can claim it elsewhere: the unique index is the backstop.
    const squatter = await fleet.joined();
    await fleet.prisma.channel.update({
      where: { id: squatter.channelId },
      data: { fundingTxid: payment.txid, fundingVout: 0, outpointClaimed: true },
    });
    expect(await fleet.ready(channelId, buyer, payment.txid)).toMatchObject({ kind: 'refuse', code: 'outpoint-taken' });
  });

  it('keeps strangers from funding a channel', async () => {
    const { channelId, buyer } = await fleet.joined();
    const foreign = await fleet.ready(channelId, buyer, 'ab'.repeat(32), { nodeId: 'node-2' });
    expect(foreign).toMatchObject({ kind: 'refuse', code: 'foreign-channel', kCap: 0 });
    expect(await fleet.ready(randomUUID(), buyer, 'ab'.repeat(32))).toMatchObject({
      kind: 'refuse',
      code: 'unknown-channel',
      // Newer than anything that a node has heard of a channel which a restored database does not have.
      version: Number.MAX_SAFE_INTEGER,
    });
    expect(await fleet.row(channelId)).toMatchObject({ state: 'joined', buyerPublicKey: null });
  });

  it('waits for a transaction it has not seen, then serves, and tells the node by itself', async () => {
    const { channelId, buyer } = await fleet.joined();
    const payment = await fleet.payment({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    const first = await fleet.ready(channelId, buyer, payment.txid);
    expect(first).toMatchObject({ kind: 'wait', code: 'funding-unseen', kMin: K_MIN, kCap: K_CAP });
    await fleet.regtest.send(payment);
    const told = () => fleet.verdicts.filter((verdict) => verdict.channelId === channelId);
    // 2 % of 100 pieces of 16 KiB until there is a confirmation.
    await expect
      .poll(() => told().at(-1), { timeout: 20_000 })
      .toMatchObject({ kind: 'allowance', allowanceBytes: 2 * 16_384, deadlineMtp: null });
    await fleet.regtest.mine();
    await expect.poll(() => told().at(-1), { timeout: 20_000 }).toMatchObject({ kind: 'all' });
    const versions = told().map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(await fleet.row(channelId)).toMatchObject({ state: 'funded', outpointClaimed: true });

    // Asked again, the answer is the same; another ready is not taken.
    expect(await fleet.ready(channelId, buyer, payment.txid)).toEqual(told().at(-1));
    const differs = await fleet.ready(channelId, buyer, payment.txid, { vout: 1 });
    expect(differs).toMatchObject({ kind: 'refuse', code: 'ready-differs' });
    expect(await fleet.row(channelId)).toMatchObject({ state: 'funded' });
  });

  it('serves less again when the funding block is reorganised away, and all when it is mined anew', async () => {
    const { channelId } = await fleet.funded();
    await fleet.regtest.call('invalidateblock', await fleet.regtest.call<string>('getbestblockhash'));
    await fleet.regtest.call('generateblock', await fleet.regtest.call<string>('getnewaddress'), []);
    const row = await fleet.becomes(channelId, 'funding-seen');
    expect(row).toMatchObject({ deadlineMtp: null, fundingConfirmations: 0, fundingHeight: null });
    const told = () => fleet.verdicts.filter((verdict) => verdict.channelId === channelId).at(-1);
    await expect.poll(told, { timeout: 20_000 }).toMatchObject({ kind: 'allowance', deadlineMtp: null });
    await fleet.regtest.mine();
    await fleet.becomes(channelId, 'funded');
    await expect.poll(told, { timeout: 20_000 }).toMatchObject({ kind: 'all' });
  });

  it('gives concurrent joins different keys, and the same join the same channel', async () => {
    const replies = await Promise.all(Array.from({ length: 40 }, () => fleet.join()));
    const keys = replies.map((reply) => (reply.opened ? Buffer.from(reply.sellerPublicKey).toString('hex') : ''));
    expect(new Set(keys).size).toBe(40);
    const joinId = randomUUID();
    const twice = await Promise.all([fleet.join({ joinId }), fleet.join({ joinId }), fleet.join({ joinId })]);
    expect(new Set(twice.map((reply) => (reply.opened ? reply.channelId : reply.code))).size).toBe(1);
    expect(await fleet.join({ joinId, nodeId: 'node-2' })).toMatchObject({ opened: false, code: 'join-id-taken' });
  });

  it('counts what it refuses', async () => {
    const metrics = await (await intake.fetch('/metrics')).text();
    expect(metrics).toMatch(/seedfleet_channel_fund_total\{[^}]*result="refuse:keys-equal"[^}]*\} 1/);
    expect(metrics).toMatch(/seedfleet_channel_open_total\{[^}]*result="join-id-taken"[^}]*\} 1/);
  });

  function otherBuyersAddress(buyer: TestBuyer): string {
    return new TestBuyer('regtest', buyer.seller, fleet.terms, fleet.valueSat).fundingAddress();
  }
});
