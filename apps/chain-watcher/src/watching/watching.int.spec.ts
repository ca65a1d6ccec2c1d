import { chainGetOutput } from '@seedfleet/bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FleetBench } from '../testing/fleet-bench.js';
import { must } from '../testing/wallet-bench.js';

describe('watching outputs on a real chain', () => {
  let bench: FleetBench;
  beforeAll(async () => {
    bench = await FleetBench.open({ zmq: true });
  });
  afterAll(() => bench.close());

  const header = z.object({ height: z.int(), mediantime: z.int(), previousblockhash: z.string() });
  const headerOf = (hash: string) => must(bench.wallet.control.wallet(header, 'getblockheader', [hash]));

  async function getOutput(outpoint: { txid: string; vout: number }) {
    const reply = await bench.bus.request(chainGetOutput, { txid: outpoint.txid, vout: outpoint.vout });
    if (!reply.ok) throw new Error(`${reply.code}: ${reply.detail}`);
    return reply.value;
  }

  it('tells the whole story: unseen, mempool, confirmed, spent in the mempool, spent in a block', async () => {
    const funding = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    await bench.watch(funding.coin, 'channel 1');
    await bench.outputBecomes(funding.coin, { state: 'unseen', version: 1, label: 'channel 1', spend: null });
    await bench.wallet.send(funding);
    await bench.outputBecomes(funding.coin, { state: 'mempool', confirmations: 0, fundingHeight: null });

    const [hash = ''] = await bench.mine();
    const block = await headerOf(hash);
    const { mediantime: fundingMtp } = await headerOf(block.previousblockhash);
    await bench.outputBecomes(funding.coin, {
      state: 'confirmed',
      confirmations: 1,
      fundingHeight: block.height,
      fundingMtp,
    });
    await bench.mine();
    await bench.outputBecomes(funding.coin, { state: 'confirmed', confirmations: 2 });

    const spend = await bench.wallet.pay(funding.coin, 500n);
    await bench.wallet.send(spend);
    await bench.outputBecomes(funding.coin, {
      state: 'spent-mempool',
      spend: { txid: spend.txid, height: null, hash: null },
    });
    const [spendHash = ''] = await bench.mine();
    const spendBlock = { txid: spend.txid, height: block.height + 2, hash: spendHash };
    await bench.outputBecomes(funding.coin, { state: 'spent-confirmed', spend: spendBlock, confirmations: 3 });

    const versions = bench.outputsOf(funding.coin).map((event) => event.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
  });

  it('knows the past of an output that is watched late', async () => {
    const funding = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    await bench.wallet.send(funding);
    await bench.mine(2);
    await bench.caughtUp();
    await bench.watch(funding.coin);
    await bench.outputBecomes(funding.coin, { state: 'confirmed', confirmations: 2, version: 1 });

    const spent = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    await bench.wallet.send(spent);
    await bench.mine(2);
    const spend = await bench.wallet.pay(spent.coin, 500n);
    await bench.wallet.send(spend);
    await bench.mine(3);
    await bench.caughtUp();
    await bench.watch(spent.coin);
    await bench.outputBecomes(spent.coin, {
      state: 'spent-confirmed',
      spend: expect.objectContaining({ txid: spend.txid }),
    });
    await bench.watch(spent.coin, 'another label');
    expect(bench.outputsOf(spent.coin)).toMatchObject([{ version: 1, label: 'test' }]);
  });

  it.each([1, 3, 6])('takes funding and spend back when %i blocks are reorganised away', async (depth) => {
    const coin = await bench.wallet.coin();
    const funding = await bench.wallet.pay(coin, 500n);
    await bench.watch(funding.coin);
    await bench.wallet.send(funding);
    await bench.mine();
    const spend = await bench.wallet.pay(funding.coin, 500n);
    await bench.wallet.send(spend);
    await bench.mine(depth);
    await bench.outputBecomes(funding.coin, { state: 'spent-confirmed' });
    await bench.wallet.reorganise(depth);
    await bench.outputBecomes(funding.coin, {
      state: 'spent-mempool',
      spend: { txid: spend.txid, height: null, hash: null },
    });
    await bench.wallet.reorganise(depth + 2);
    await bench.outputBecomes(funding.coin, { state: 'spent-mempool', fundingHeight: null, confirmations: 0 });
    await bench.mine();
    await bench.outputBecomes(funding.coin, { state: 'spent-confirmed', confirmations: 1 });
  });

  it('says that a funding is gone when a reorganisation brings a double-spend of it', async () => {
    const coin = await bench.wallet.coin();
    const funding = await bench.wallet.pay(coin, 500n);
    const rival = await bench.wallet.pay(coin, 900n);
    await bench.watch(funding.coin);
    await bench.wallet.send(funding);
    const [hash = ''] = await bench.mine();
    await bench.outputBecomes(funding.coin, { state: 'confirmed' });
    await must(bench.wallet.control.invalidate(hash));
    await must(bench.wallet.control.mineOnly([rival.hex]));
    await bench.mine();
    await bench.outputBecomes(funding.coin, {
      state: 'unseen',
      fundingHeight: null,
      confirmations: 0,
      conflict: expect.objectContaining({ txid: rival.txid, height: expect.any(Number) }),
    });
  });

  it('says that a funding is gone when it is replaced in the mempool', async () => {
    const coin = await bench.wallet.coin();
    const funding = await bench.wallet.pay(coin, 500n);
    await bench.watch(funding.coin);
    await bench.wallet.send(funding);
    await bench.outputBecomes(funding.coin, { state: 'mempool' });
    expect(await getOutput(funding.coin)).toMatchObject({ found: true, conflict: null });
    const rival = await bench.wallet.pay(coin, 5_000n);
    await bench.wallet.send(rival);
    const inMempool = { txid: rival.txid, height: null, hash: null };
    await bench.outputBecomes(funding.coin, { state: 'unseen', conflict: inMempool });
    expect(await getOutput(funding.coin)).toMatchObject({ found: false, conflict: { txid: rival.txid, height: null } });

    const [hash = ''] = await bench.mine();
    const { height } = await headerOf(hash);
    await bench.outputBecomes(funding.coin, { state: 'unseen', conflict: { txid: rival.txid, height, hash } });
    expect(await getOutput(funding.coin)).toMatchObject({ found: false, conflict: { txid: rival.txid, height } });
    await must(bench.wallet.control.invalidate(hash));
    await must(bench.wallet.control.mineOnly([]));
    await bench.outputBecomes(funding.coin, { state: 'unseen', conflict: inMempool });
    // A miner that has the first one still: then that it had a rival is of no interest any more.
    await must(bench.wallet.control.mineOnly([funding.hex]));
    await bench.outputBecomes(funding.coin, { state: 'confirmed', conflict: null });
    expect(await getOutput(funding.coin)).toMatchObject({ found: true, confirmations: 1, conflict: null });
  });

  it('still knows of a rival when the transaction is back in the mempool', async () => {
    const [coin, other] = [await bench.wallet.coin(), await bench.wallet.coin()];
    const funding = await bench.wallet.pay(coin, 500n);
    await bench.watch(funding.coin);
    await bench.wallet.send(funding);
    await bench.outputBecomes(funding.coin, { state: 'mempool', conflict: null });
    const rival = await bench.wallet.payTogether([coin, other], 5_000n);
    await bench.wallet.send(rival);
    await bench.outputBecomes(funding.coin, {
      state: 'unseen',
      conflict: { txid: rival.txid, height: null, hash: null },
    });
    // Pushed out itself, through its other coin.
    await bench.wallet.send(await bench.wallet.pay(other, 50_000n));
    await bench.wallet.send(funding);
    await bench.outputBecomes(funding.coin, {
      state: 'mempool',
      conflict: { txid: rival.txid, height: null, hash: null },
    });
    const answer = await getOutput(funding.coin);
    expect(answer).toMatchObject({ found: true, conflict: { txid: rival.txid, height: null } });
    expect(answer.conflict?.sinceMs).toBeLessThan(60_000);
  });

  it('answers what a funding verdict needs', async () => {
    expect(await getOutput({ txid: 'ab'.repeat(32), vout: 0 })).toEqual({ found: false, conflict: null });
    const parent = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    await bench.wallet.send(parent);
    const funding = await bench.wallet.pay(parent.coin, 777n);
    await bench.wallet.send(funding);
    expect(await getOutput(funding.coin)).toMatchObject({
      found: true,
      raw: funding.raw,
      confirmations: 0,
      height: null,
      fundingMtp: null,
      spentBy: null,
      mempool: { feeSat: 777n, ancestors: 1, replaceable: true },
    });
    const spend = await bench.wallet.pay(funding.coin, 500n);
    await bench.wallet.send(spend);
    expect(await getOutput(funding.coin)).toMatchObject({ spentBy: { txid: spend.txid, height: null, hash: null } });
    const [hash = ''] = await bench.mine();
    const block = await headerOf(hash);
    expect(await getOutput(funding.coin)).toMatchObject({
      found: true,
      confirmations: 1,
      height: block.height,
      blockHash: hash,
      fundingMtp: (await headerOf(block.previousblockhash)).mediantime,
      spentBy: { txid: spend.txid, height: block.height, hash },
      mempool: null,
    });
    expect(await getOutput({ txid: funding.txid, vout: 7 })).toMatchObject({ found: true, spentBy: null });
  });
});
