import { chainGetStatus } from '@seedfleet/bus';
import { createPrismaClient, fencedUrl } from '@seedfleet/persistence';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FleetBench } from '../testing/fleet-bench.js';
import type { ServiceProcess } from '../testing/service-process.js';

let bench: FleetBench;
let first: ServiceProcess;
let second: ServiceProcess;
beforeAll(async () => {
  bench = await FleetBench.open({ zmq: true });
  first = bench.service;
  second = bench.another();
  await second.start();
});
afterAll(async () => {
  for (const service of [first, second]) service.signal('SIGCONT');
  await second.dispose();
  await bench.close();
});

const health = async (service: ServiceProcess): Promise<{ status: number; role: string }> => {
  const response = await service.fetch('/health');
  const { notes } = (await response.json()) as { notes: Record<string, string> };
  return { status: response.status, role: notes['role'] ?? '' };
};
const becomes = (service: ServiceProcess, role: string): Promise<void> =>
  expect.poll(() => health(service), { timeout: 35_000, interval: 50 }).toEqual({ status: 200, role });
const metric = async (service: ServiceProcess, name: string): Promise<string | undefined> =>
  new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, 'm').exec(await (await service.fetch('/metrics')).text())?.[1];

/** Every version once and in order, whoever told of it. */
const inOrder = (events: readonly { version: number }[]): void =>
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));

it('works in one process and stands by in the other, which goes on within its lease when the first is killed', async () => {
  await becomes(first, 'active');
  await becomes(second, 'standby');
  expect(await Promise.all([first, second].map((one) => metric(one, 'seedfleet_chain_active')))).toEqual(['1', '0']);
  const coin = await bench.wallet.coin();
  const payment = await bench.wallet.pay(await bench.wallet.coin(), 500n);
  expect((await bench.broadcast(payment)).state).toBe('mempool');
  await bench.watch(coin);
  await first.end('SIGKILL');
  await bench.mine();
  await becomes(second, 'active');
  await bench.caughtUp();
  await bench.broadcastBecomes(payment, { state: 'confirmed', confirmations: 1 });
  expect(await metric(second, 'seedfleet_chain_lease_number')).toBe('2');
  const spend = await bench.wallet.pay(coin, 500n);
  expect((await bench.broadcast(spend)).state).toBe('mempool');
  await bench.outputBecomes(coin, { state: 'spent-mempool' });
  inOrder(bench.broadcastsOf(payment));
  inOrder(bench.outputsOf(coin));
});

it('takes over from one that hangs, refuses what that one still writes, and ends it when it goes on', async () => {
  await first.start();
  await becomes(first, 'standby');
  const { holder } = await bench.prisma.chainLease.findFirstOrThrow();
  const coin = await bench.wallet.coin();
  await bench.watch(coin);
  second.signal('SIGSTOP');
  await becomes(first, 'active');
  await bench.mine();
  await bench.outputBecomes(coin, { confirmations: 1 });
  const former = createPrismaClient(fencedUrl(bench.databaseUrl, holder), 1);
  const late = former.chainBlock.deleteMany().then(
    () => 'written',
    (failure: unknown) => String(failure),
  );
  expect(await late).toContain('another chain-watcher has the lease');
  await former.$disconnect();
  const ended = second.ended();
  second.signal('SIGCONT');
  expect(await ended).toBe(1);
  inOrder(bench.outputsOf(coin));
  // What was asked of the one that ended is asked again.
  await expect.poll(async () => (await bench.bus.request(chainGetStatus, {})).ok, { timeout: 30_000 }).toBe(true);
});

it('hands over at once when the one that works is told to stop, and starts again as the one that stands by', async () => {
  await second.start();
  await becomes(second, 'standby');
  await first.end('SIGTERM');
  await becomes(second, 'active');
  await first.start();
  await becomes(first, 'standby');
});
