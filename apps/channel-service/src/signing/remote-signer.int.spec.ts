import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { treasurySweep } from '@seedfleet/bus';
import type { FaultPoint } from '@seedfleet/service-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import type { TestBuyer } from '../testing/test-buyer.js';
import { TestFleet } from '../testing/test-fleet.js';
import { backUpSigner, restoreSigner } from './signer-backup.js';

const WAIT = { timeout: 60_000, interval: 50 };

let fleet: TestFleet;
let signer: ServiceProcess;
let settler: ServiceProcess;
let intake: ServiceProcess;
let cold: string;

beforeAll(async () => {
  fleet = await TestFleet.open();
  cold = await fleet.regtest.call<string>('getnewaddress');
  signer = fleet.signer({ TREASURY_ADDRESS: cold });
  settler = fleet.remoteSettler({ TREASURY_ADDRESS: cold });
  intake = fleet.service('intake');
});

afterAll(async () => {
  await fleet.close(intake, settler, signer);
  await fleet.regtest.backToNow();
});

const metrics = async (): Promise<string> => (await settler.fetch('/metrics')).text();

async function pay({ channelId, buyer }: { channelId: string; buyer: TestBuyer }, k: number): Promise<void> {
  const seq = await fleet.publish({
    payments: [{ channelId, k, signature: buyer.pay(k) }],
    ends: [{ channelId, k, reason: 'peer-closed' }],
  });
  await fleet.committed(seq);
}

const frozen = (channelId: string): Promise<void> =>
  expect.poll(async () => (await fleet.row(channelId)).frozenK, WAIT).not.toBeNull();

const txidsOf = (kind: 'settlement' | 'child' | 'sweep'): string[] =>
  fleet.signed().flatMap((line) => (line.kind === kind ? [line.txid] : []));

it('is needed by a settler that never had one', { timeout: 300_000 }, async () => {
  expect(await settler.launch()).toBe(1);
  expect(settler.log).toContain('signer-unreachable');
  await signer.start();
  await settler.start();
  await intake.start();
});

it('settles what the settler can’t, which has no seed', async () => {
  const sale = await fleet.funded();
  await pay(sale, 30);
  const { settlementTxid } = await fleet.becomes(sale.channelId, 'settling');
  expect(txidsOf('settlement')).toContain(settlementTxid);
  expect(await metrics()).toMatch(/seedfleet_signer_reachable\{[^}]*\} 1/);
});

it(
  'may be away: sales go on, nothing is refused or lost, and what waits is settled when it is back, wherever it died',
  { timeout: 300_000 },
  async () => {
    await signer.end('SIGKILL');
    const points: readonly FaultPoint[] = [
      'signer.log.before-write',
      'signer.log.before-sync',
      'signer.log.after-sync',
    ];
    const sales = await fleet.fundedTogether(points.length + 1);
    const [last] = sales.slice(-1);
    if (last === undefined) throw new Error('no sale');
    for (const sale of sales) await pay(sale, 40);
    for (const { channelId } of sales) await frozen(channelId);
    // A settler that starts meanwhile does what needs no signature.
    await settler.end('SIGTERM');
    await settler.start();
    await expect.poll(metrics, WAIT).toMatch(/seedfleet_signer_reachable\{[^}]*\} 0/);
    for (const point of points) {
      const dying = fleet.signer({ SEEDFLEET_KILL_AT: point });
      expect(await dying.launch()).toBeNull();
    }
    // Nothing is wrong with the channels. Where a line was written before a death, the next signer may have answered from it.
    for (const { channelId } of sales) expect(['closing', 'settling']).toContain((await fleet.row(channelId)).state);
    const written = txidsOf('settlement');
    await signer.start();
    for (const { channelId } of sales) await fleet.becomes(channelId, 'settling');
    const settled = await Promise.all(sales.map(async ({ channelId }) => (await fleet.row(channelId)).settlementTxid));
    // Each was written once, and what was written before an answer was lost is what was sent.
    expect(txidsOf('settlement').slice(0, written.length)).toEqual(written);
    expect(new Set(txidsOf('settlement')).size).toBe(txidsOf('settlement').length);
    expect(txidsOf('settlement')).toEqual(expect.arrayContaining(settled));
    expect(written.length).toBeGreaterThan(1);
    expect(await metrics()).not.toMatch(/seedfleet_settlement_moves_total\{[^}]*settle-rejected/);
    expect(await fleet.prisma.quarantinedNode.count()).toBe(0);
  },
);

it('tells a corrupted row from a signer that is away', async () => {
  const sale = await fleet.funded();
  // A settler that is there could have signed a checkpoint before.
  await settler.end('SIGTERM');
  await fleet.committed(
    await fleet.publish({ payments: [{ channelId: sale.channelId, k: 20, signature: sale.buyer.pay(20) }] }),
  );
  await fleet.prisma.channel.update({ where: { id: sale.channelId }, data: { buyerPublicKey: new Uint8Array(7) } });
  await fleet.publish({ ends: [{ channelId: sale.channelId, k: 20, reason: 'peer-closed' }] });
  await settler.start();
  expect(await fleet.becomes(sale.channelId, 'settle-rejected')).toMatchObject({ stateReason: 'row-corrupt' });
});

it(
  'put back from a copy, signs nothing that it may have signed otherwise, until its operator vouches for the settler',
  { timeout: 300_000 },
  async () => {
    const files = { seedFile: fleet.seedFile, keyFile: fleet.keyFile, log: join(fleet.folder, 'signing.log') };
    const copy = join(fleet.folder, 'backup');
    backUpSigner(files, copy);
    const [before, after] = await fleet.fundedTogether(2);
    if (before === undefined || after === undefined) throw new Error('no sale');
    await pay(before, 30);
    const { settlementTxid } = await fleet.becomes(before.channelId, 'settling');
    await signer.end('SIGKILL');
    renameSync(files.log, `${files.log}.lost`);
    await restoreSigner(copy, files);
    expect(txidsOf('settlement')).not.toContain(settlementTxid);
    await signer.start();
    await pay(after, 40);
    await frozen(after.channelId);
    await expect.poll(() => signer.log, WAIT).toContain('log-restored');
    // It waits: nothing is refused for good.
    expect((await fleet.row(after.channelId)).state).toBe('closing');
    await signer.end('SIGTERM');
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    signer = fleet.signer({ TREASURY_ADDRESS: cold, UNSURE_KEYS_SIGN_UNTIL: inAnHour });
    await signer.start();
    await fleet.becomes(after.channelId, 'settling');
    expect((await fleet.row(before.channelId)).settlementTxid).toBe(settlementTxid);
  },
);

it('signs children and sweeps, and writes them down', async () => {
  const sale = await fleet.funded();
  // More than half of the lock: fewer than 12 safe blocks are left.
  await fleet.regtest.runAhead(3_900);
  await pay(sale, 60);
  await fleet.becomes(sale.channelId, 'settling');
  const child = () => fleet.prisma.treasuryTransaction.findFirst({ where: { channelId: sale.channelId } });
  await expect.poll(async () => (await child())?.state, WAIT).toBe('mempool');
  expect(txidsOf('child')).toContain((await child())?.txid);
  await fleet.regtest.mine(6);
  await fleet.becomes(sale.channelId, 'buried');
  await expect
    .poll(async () => (await fleet.ask(treasurySweep, { dryRun: true })).inputs, WAIT)
    .toBeGreaterThanOrEqual(5);
  const swept = await fleet.ask(treasurySweep, { dryRun: false });
  expect(swept).toMatchObject({ kind: 'sweep', destination: cold });
  expect(txidsOf('sweep')).toEqual([swept.txid]);
  await fleet.regtest.mine(1);
  await expect.poll(() => reconcile(fleet.prisma, 0), { timeout: 60_000, interval: 200 }).toEqual([]);
});

it(
  'does not start on a log that was changed, and a settler not with the signer of another seed',
  { timeout: 300_000 },
  async () => {
    await signer.end('SIGTERM');
    const other = fleet.signer({ SEED_FILE: `${fleet.seedFile}.other`, SIGNING_LOG: `${fleet.folder}/other.log` });
    await other.start();
    await expect.poll(metrics, WAIT).toMatch(/seedfleet_signer_reachable\{[^}]*\} 0/);
    await settler.end('SIGTERM');
    expect(await settler.launch()).toBe(1);
    expect(settler.log).toContain('seed-mismatch');
    await other.end('SIGTERM');
    const mixed = fleet.signer({ SIGNING_LOG: `${fleet.folder}/other.log` });
    expect(await mixed.launch()).toBe(1);
    expect(mixed.log).toContain('signing-log-of-another-seed');
  },
);
