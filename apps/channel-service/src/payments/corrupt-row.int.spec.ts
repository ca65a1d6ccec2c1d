import { afterAll, beforeAll, expect, it } from 'vitest';
import { reconcile } from '../books/reconcile.js';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';

const WAIT = { timeout: 60_000, interval: 200 };

let fleet: TestFleet;
let service: ServiceProcess;

beforeAll(async () => {
  fleet = await TestFleet.open();
  service = fleet.service('all');
  await service.start();
});

afterAll(() => fleet.close(service));

const metrics = async (): Promise<string> => (await service.fetch('/metrics')).text();

it('refuses a corrupted row by name, blames nobody for it, and serves and settles the other channels', async () => {
  const channels = await fleet.fundedTogether(4);
  const [whole, keyless, forged, broken] = channels;
  if (!whole || !keyless || !forged || !broken) throw new Error('four channels');
  const seq = await fleet.publish({
    payments: channels.map(({ channelId, buyer }) => ({ channelId, k: 20, signature: buyer.pay(20) })),
  });
  await fleet.committed(seq);
  await service.end('SIGTERM');
  const damage = (id: string, data: Parameters<typeof fleet.prisma.channel.update>[0]['data']) =>
    fleet.prisma.channel.update({ where: { id }, data });
  await damage(keyless.channelId, { buyerPublicKey: new Uint8Array(7) });
  await damage(forged.channelId, { signature: new Uint8Array(71) });
  await damage(broken.channelId, { fundingTxid: 'no txid' });
  await fleet.prisma.checkpoint.deleteMany();
  await service.start();
  // The row without keys keeps nobody's checkpoint waiting.
  const checkpoints = (): Promise<number> => fleet.prisma.checkpoint.count({ where: { channelId: whole.channelId } });
  await expect.poll(checkpoints, WAIT).toBe(1);
  await expect.poll(metrics, WAIT).toMatch(/seedfleet_checkpoints_total\{[^}]*result="failed"[^}]*\} [1-9]/);

  const paid = await fleet.publish({
    payments: channels.map(({ channelId, buyer }) => ({ channelId, k: 30, signature: buyer.pay(30) })),
    ends: channels.map(({ channelId }) => ({ channelId, k: 30, reason: 'peer-closed' })),
  });
  await fleet.committed(paid);
  const parked = await fleet.prisma.parkedPayment.findMany();
  expect(parked.map(({ channelId, code }) => [channelId, code]).sort()).toEqual(
    [keyless, forged, broken].map(({ channelId }) => [channelId, 'row-corrupt']).sort(),
  );
  expect(await fleet.prisma.quarantinedNode.count()).toBe(0);
  expect(await metrics()).toMatch(/seedfleet_payments_parked_total\{[^}]*code="row-corrupt"[^}]*\} 3/);

  expect(await fleet.becomes(whole.channelId, 'settling')).toMatchObject({ frozenK: 30n });
  await expect.poll(async () => (await fleet.row(keyless.channelId)).state, WAIT).toBe('settle-rejected');
  expect((await fleet.row(keyless.channelId)).stateReason).toBe('row-corrupt');
  await expect.poll(async () => (await fleet.row(forged.channelId)).state, WAIT).toBe('settle-rejected');
  await expect.poll(metrics, WAIT).toMatch(/seedfleet_channel_work_failures_total\{[^}]*state="closing"[^}]*\} [1-9]/);
  await fleet.regtest.mine(6);
  await fleet.becomes(whole.channelId, 'buried');
  await expect.poll(() => reconcile(fleet.prisma, 0), { timeout: 40_000 }).toEqual([]);
});

it('files the others where one checkpoint was corrupted after it was signed, and settles its channel all the same', async () => {
  const [misfiled, filed] = await fleet.fundedTogether(2);
  if (!misfiled || !filed) throw new Error('two channels');
  await service.end('SIGTERM');
  await fleet.prisma.checkpoint.create({
    data: {
      ...{ channelId: misfiled.channelId, version: 1, k: 20n, txid: 'none', raw: new Uint8Array(4), schedule: {} },
      createdAt: new Date(0),
    },
  });
  await service.start();
  const more = await fleet.publish({
    payments: [misfiled, filed].map(({ channelId, buyer }) => ({ channelId, k: 20, signature: buyer.pay(20) })),
  });
  await fleet.committed(more);
  const filedOf = (channelId: string) =>
    fleet.prisma.checkpoint.count({ where: { channelId, filedAt: { not: null } } });
  await expect.poll(() => filedOf(filed.channelId), WAIT).toBe(1);
  await expect.poll(metrics, WAIT).toMatch(/seedfleet_checkpoints_failing\{[^}]*code="row-corrupt"[^}]*\} [1-9]/);
  expect(await filedOf(misfiled.channelId)).toBe(0);
  // Its settlement is signed anew and filed above what is corrupt.
  const ended = await fleet.publish({ ends: [{ channelId: misfiled.channelId, k: 20, reason: 'peer-closed' }] });
  await fleet.committed(ended);
  const settling = await fleet.becomes(misfiled.channelId, 'settling');
  expect(settling).toMatchObject({ frozenK: 20n, settledK: null });
  await expect.poll(() => fleet.regtest.call<string[]>('getrawmempool'), WAIT).toContain(settling.settlementTxid);
  await fleet.regtest.mine(6);
  await fleet.becomes(misfiled.channelId, 'buried');
});
