import { parseTransaction } from '@seedfleet/bitcoin-node';
import { chainBroadcast, chainGetBroadcast, chainWithdraw } from '@seedfleet/bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FleetBench } from '../testing/fleet-bench.js';
import { must } from '../testing/wallet-bench.js';

describe('broadcasting on a real chain', () => {
  let bench: FleetBench;
  beforeAll(async () => {
    bench = await FleetBench.open({ zmq: true });
  });
  afterAll(() => bench.close());

  it('carries a transaction from storage to burial, and tells of each confirmation', async () => {
    const payment = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    expect(await bench.broadcast(payment)).toEqual({ state: 'mempool', code: null, rejectReason: null });
    expect((await bench.broadcast(payment)).state).toBe('mempool');
    for (let confirmations = 1; confirmations <= 5; confirmations += 1) {
      await bench.mine();
      await bench.broadcastBecomes(payment, { state: 'confirmed', confirmations });
    }
    await bench.mine();
    await bench.broadcastBecomes(payment, { state: 'buried', confirmations: 6 });
    await bench.mine(2);
    expect((await bench.broadcast(payment)).state).toBe('buried');
    const events = bench.broadcastsOf(payment);
    expect(events.map((event) => event.state).slice(0, 3)).toEqual(['stored', 'mempool', 'confirmed']);
    expect(events.map((event) => event.version)).toEqual(events.map((_, index) => index + 1));
    const reply = await bench.bus.request(chainGetBroadcast, { txid: payment.txid });
    expect(reply).toMatchObject({ ok: true, value: { broadcast: { state: 'buried', confirmations: 6 } } });
  });

  it.each([1, 6])('sends again what a reorganisation of %i blocks took out of the chain', async (depth) => {
    const payment = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    await bench.broadcast(payment);
    await bench.mine(depth);
    await bench.broadcastBecomes(payment, { confirmations: depth });
    await bench.wallet.reorganise(depth);
    await bench.broadcastBecomes(payment, { state: 'mempool', confirmations: 0, confirmedHeight: null });
    await bench.mine();
    await bench.broadcastBecomes(payment, { state: 'confirmed', confirmations: 1 });
  });

  it('names a refusal below the minimum fee and keeps the transaction', async () => {
    const payment = await bench.wallet.pay(await bench.wallet.coin(), 10n);
    const reply = await bench.broadcast(payment);
    expect(reply).toMatchObject({ state: 'rejected', code: 'below-min-fee' });
    expect(reply.rejectReason).toContain('min relay fee not met');
    const row = await bench.prisma.broadcast.findUniqueOrThrow({ where: { txid: payment.txid } });
    expect(row.nextAttemptAt).not.toBeNull();
  });

  it('names a conflict in the mempool, and a double-spend once it is mined', async () => {
    const coin = await bench.wallet.coin();
    const payment = await bench.wallet.pay(coin, 500n);
    await bench.wallet.send(await bench.wallet.pay(coin, 5_000n));
    expect(await bench.broadcast(payment)).toMatchObject({ state: 'conflicted', code: 'conflict' });
    const [hash = ''] = await bench.mine();
    await bench.broadcastBecomes(payment, { state: 'conflicted', code: 'double-spent' });
    await must(bench.wallet.control.invalidate(hash));
    await must(bench.wallet.control.mineOnly([payment.hex]));
    await bench.mine();
    await bench.broadcastBecomes(payment, { state: 'confirmed', code: null });
  });

  it('notices that a transaction it had brought into the mempool was replaced and the rival mined', async () => {
    const coin = await bench.wallet.coin();
    const payment = await bench.wallet.pay(coin, 500n);
    expect((await bench.broadcast(payment)).state).toBe('mempool');
    await bench.wallet.send(await bench.wallet.pay(coin, 5_000n));
    await bench.mine();
    await bench.broadcastBecomes(payment, { state: 'conflicted', code: 'double-spent' });
  });

  it.each([true, false])(
    'ends once what was mined in its place is buried, until that is reorganised (watched: %s)',
    async (watched) => {
      const coin = await bench.wallet.coin();
      if (watched) await bench.watch(coin);
      const payment = await bench.wallet.pay(coin, 500n);
      const child = await bench.wallet.pay(payment.coin, 500n);
      expect((await bench.broadcastChild(child, payment)).state).toBe('mempool');
      const rival = await bench.wallet.pay(coin, 5_000n);
      await must(bench.wallet.control.mineOnly([rival.hex]));
      const first = await must(bench.wallet.control.wallet(z.string(), 'getbestblockhash', []));
      await bench.broadcastBecomes(payment, { state: 'conflicted', code: 'double-spent' });
      await bench.mine(4);
      await bench.caughtUp();
      expect(bench.broadcastsOf(payment).map(({ state }) => state)).not.toContain('overtaken');
      await bench.mine(2);
      await bench.broadcastBecomes(payment, { state: 'overtaken', code: 'double-spent', confirmations: 0 });
      await bench.mine();
      // What would have spent it can't come either.
      await bench.broadcastBecomes(child, { state: 'overtaken' });
      const rows = await bench.prisma.broadcast.findMany({ where: { txid: { in: [payment.txid, child.txid] } } });
      expect(rows.map(({ nextAttemptAt }) => nextAttemptAt)).toEqual([null, null]);
      expect(await bench.broadcast(payment)).toMatchObject({ state: 'overtaken' });

      await must(bench.wallet.control.invalidate(first));
      for (let block = 0; block < 8; block += 1) await must(bench.wallet.control.mineOnly([]));
      await bench.broadcastBecomes(payment, { state: 'conflicted', code: 'conflict' });
      await must(bench.wallet.control.mineOnly([payment.hex]));
      await bench.broadcastBecomes(payment, { state: 'confirmed' });
      await bench.broadcastBecomes(child, { state: 'mempool' });
    },
  );

  it('sends a child as soon as a block has brought its parent', async () => {
    const parent = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    const child = await bench.wallet.pay(parent.coin, 500n);
    expect(await bench.broadcast(child)).toMatchObject({ state: 'rejected', code: 'missing-inputs' });
    await bench.wallet.send(parent);
    await bench.mine();
    await bench.broadcastBecomes(child, { state: 'mempool' });
  });

  it('sends a parent with the child that pays for it, and in its place one that pays more', async () => {
    const parent = await bench.wallet.pay(await bench.wallet.coin(), 400n);
    const child = await bench.wallet.pay(parent.coin, 2_000n);
    const reply = await bench.broadcastChild(child, parent);
    expect(reply).toEqual({ state: 'mempool', code: null, rejectReason: null });
    await bench.broadcastBecomes(parent, { state: 'mempool' });

    const dearer = await bench.wallet.pay(parent.coin, 9_000n);
    expect((await bench.broadcastChild(dearer, parent, child.txid)).state).toBe('mempool');
    await bench.broadcastBecomes(child, { state: 'withdrawn' });
    expect(await bench.mempool()).toEqual(expect.arrayContaining([parent.txid, dearer.txid]));
    expect(await bench.mempool()).not.toContain(child.txid);
    await bench.mine();
    await bench.broadcastBecomes(dearer, { state: 'confirmed' });
    await bench.broadcastBecomes(parent, { state: 'confirmed' });

    // Another chain may hold the one that was withdrawn.
    await bench.wallet.reorganise(1);
    await bench.broadcastBecomes(dearer, { state: 'mempool' });
    await must(bench.wallet.control.mineOnly([parent.hex, child.hex]));
    await bench.broadcastBecomes(child, { state: 'confirmed' });
    await bench.broadcastBecomes(dearer, { state: 'conflicted' });
    expect(await bench.bus.request(chainWithdraw, { txid: dearer.txid })).toMatchObject({
      value: { state: 'withdrawn' },
    });
    expect(await bench.bus.request(chainWithdraw, { txid: child.txid })).toMatchObject({
      value: { state: 'confirmed' },
    });
  });

  it('refuses a child that spends nothing of its parent, and stores neither', async () => {
    const parent = await bench.wallet.pay(await bench.wallet.coin(), 400n);
    const stranger = await bench.wallet.pay(await bench.wallet.coin(), 400n);
    expect(await bench.broadcastChild(stranger, parent)).toMatchObject({ state: 'rejected', code: 'not-a-child' });
    expect(await bench.prisma.broadcast.count({ where: { txid: { in: [parent.txid, stranger.txid] } } })).toBe(0);
  });

  it('names a signature that the node does not accept, as with a Bitcoin Cash digest on Bitcoin', async () => {
    const payment = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    const raw = new Uint8Array(payment.raw);
    raw.set([1], raw.length - 4);
    const txid = parseTransaction(raw)?.txid ?? '';
    const reply = await bench.bus.request(chainBroadcast, { txid, raw, label: 'tampered' });
    expect(reply).toMatchObject({ ok: true, value: { state: 'rejected', code: 'script-rejected' } });
  });

  it('refuses bytes that are not the transaction they should be', async () => {
    const payment = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    const other = { txid: 'cd'.repeat(32), raw: payment.raw, label: 'x' };
    expect(await bench.bus.request(chainBroadcast, other)).toMatchObject({
      value: { state: 'rejected', code: 'txid-mismatch' },
    });
    const junk = { txid: payment.txid, raw: new Uint8Array([1, 2, 3]), label: 'x' };
    expect(await bench.bus.request(chainBroadcast, junk)).toMatchObject({
      value: { state: 'rejected', code: 'malformed' },
    });
    expect(await bench.prisma.broadcast.count({ where: { txid: { in: [other.txid, payment.txid] } } })).toBe(0);
  });
});
