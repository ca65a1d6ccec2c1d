import { chainBroadcast, chainGetStatus, chainStatus } from '@seedfleet/bus';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { FleetBench } from '../testing/fleet-bench.js';
import { ServiceProcess } from '../testing/service-process.js';
import { must } from '../testing/wallet-bench.js';

describe('following a real chain through faults, by polling alone', () => {
  let bench: FleetBench;
  beforeAll(async () => {
    bench = await FleetBench.open({ zmq: false });
  });
  afterAll(() => bench.close());

  const nodeTip = () => must(bench.wallet.control.wallet(z.string(), 'getbestblockhash', []));
  const status = async () => {
    const reply = await bench.bus.request(chainGetStatus, {});
    if (!reply.ok) throw new Error(`${reply.code}: ${reply.detail}`);
    return reply.value;
  };

  it('publishes the state of the chain', async () => {
    const published: z.output<typeof chainStatus.payload>[] = [];
    bench.bus.subscribe(chainStatus, [], (payload) => void published.push(payload));
    await bench.mine();
    await expect.poll(() => published.at(-1)?.tip.hash, { timeout: 10_000 }).toBe(await nodeTip());
    const now = await status();
    expect(now.tip).toEqual(published.at(-1)?.tip);
    expect(now.feeRates.sixBlocksSatPerKvb).toBeGreaterThanOrEqual(1_000n);
    expect(Math.abs(now.observedAt - Date.now() / 1_000)).toBeLessThan(10);
  });

  it('serves health and metrics', async () => {
    const health = await bench.service.fetch('/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({
      status: 'ok',
      checks: { nats: 'ok', lease: 'ok', chain: 'ok', 'node-sync': 'ok', postgres: 'ok' },
      notes: { role: 'active' },
    });
    const metrics = await (await bench.service.fetch('/metrics')).text();
    expect(metrics).toMatch(/seedfleet_chain_tip_height\{[^}]*\} [1-9]/);
    expect(metrics).toContain('seedfleet_chain_rpc_errors_total');
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'resumes after %s, with a reorganisation and a spend in between',
    async (signal) => {
      const funding = await bench.wallet.pay(await bench.wallet.coin(), 500n);
      const settled = await bench.wallet.pay(await bench.wallet.coin(), 500n);
      await bench.watch(funding.coin);
      await bench.broadcast(funding);
      await bench.broadcast(settled);
      await bench.mine(2);
      await bench.outputBecomes(funding.coin, { state: 'confirmed', confirmations: 2 });

      await bench.service.end(signal);
      await bench.wallet.reorganise(3);
      const spend = await bench.wallet.pay(funding.coin, 500n);
      await bench.wallet.send(spend);
      await bench.mine(2);
      await bench.service.start();

      await bench.outputBecomes(funding.coin, {
        state: 'spent-confirmed',
        confirmations: 2,
        spend: expect.objectContaining({ txid: spend.txid }),
      });
      await bench.broadcastBecomes(settled, { state: 'confirmed', confirmations: 2 });
      expect((await status()).tip.hash).toBe(await nodeTip());
      const versions = bench.outputsOf(funding.coin).map((event) => event.version);
      expect([...new Set(versions)]).toEqual(versions.map((_, index) => index + 1).slice(0, new Set(versions).size));
    },
  );

  it('stores what it is given while the node is away, and sends it when the node is back', async () => {
    const payment = await bench.wallet.pay(await bench.wallet.coin(), 500n);
    bench.nodeLink.cut();
    await expect.poll(async () => (await bench.service.fetch('/health')).status, { timeout: 20_000 }).toBe(503);
    await bench.mine(2);
    const reply = await bench.bus.request(chainBroadcast, { txid: payment.txid, raw: payment.raw, label: 'meanwhile' });
    expect(reply).toMatchObject({ ok: true, value: { state: 'stored' } });
    bench.nodeLink.mend();
    await bench.broadcastBecomes(payment, { state: 'mempool' });
    await expect.poll(async () => (await bench.service.fetch('/health')).status, { timeout: 20_000 }).toBe(200);
    const metrics = await (await bench.service.fetch('/metrics')).text();
    expect(metrics).toMatch(/seedfleet_chain_rpc_errors_total\{[^}]*code="unreachable"[^}]*\} [1-9]/);
  });

  it('refuses to start on another network, naming both', async () => {
    const postgresUrl = inject('postgresUrl');
    const natsUrl = inject('natsUrl');
    const rpcUrl = inject('rpcUrl');
    const wrong = new ServiceProcess({
      SEEDFLEET_NETWORK: 'mainnet',
      FLEET_ID: 'wrong',
      NATS_URL: natsUrl,
      DATABASE_URL: postgresUrl,
      BTC_RPC: rpcUrl,
    });
    expect(await wrong.launch()).toBe(1);
    expect(wrong.log).toContain('runs chain \\"regtest\\", but the network \\"mainnet\\" needs \\"main\\"');
    await wrong.dispose();
  });
});
