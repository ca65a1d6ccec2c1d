import { randomUUID } from 'node:crypto';
import {
  createPrismaClient,
  deployMigrations,
  deployRoles,
  Retention,
  type PrismaClient,
} from '@seedfleet/persistence';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { policyWith } from '@seedfleet/policy';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { rollUpBooks } from '../books/books-roll-up.js';
import { reconcile } from '../books/reconcile.js';
import { fillPool } from '../keys/key-pool.js';
import { renewEpoch } from '../keys/key-epoch.js';
import { SeedSigner } from '../keys/signer.js';
import { exampleRow } from '../testing/rows.js';
import { channelRules } from './rules.js';

const DAY_MS = 86_400_000;
const { retention: kept } = policyWith();
const rules = { childFeePercent: 80n, treasuryFeePercent: 10n, destination: null };
const signer = new SeedSigner(new Uint8Array(32).fill(7), 'regtest', bestEcdsa(), rules);

let owner: PrismaClient;
/** The service's own role, with the rights it has in production. */
let service: PrismaClient;
let nextKeyIndex = 0;

beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const url = new URL(postgresUrl);
  url.pathname = `/retention_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(postgresUrl, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${url.pathname.slice(1)}"`);
  await admin.$disconnect();
  await deployMigrations(url.href);
  const roles = await deployRoles(url.href, { chain: 'chain', channel: 'channel', market: 'market' });
  if (roles === null) throw new Error('the tests need a user who may create roles');
  owner = createPrismaClient(url.href, 2);
  service = createPrismaClient(roles.channel, 4);
});

afterAll(async () => {
  await Promise.all([owner, service].map((client) => client.$disconnect()));
});

const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS);

/** A channel that entered its state and was made so many days ago, with a story of two steps. */
async function store(days: number, change: Partial<ReturnType<typeof exampleRow>> = {}): Promise<string> {
  nextKeyIndex += 1;
  const { verdict: _none, ...row } = exampleRow({
    id: randomUUID(),
    joinId: randomUUID(),
    fundingTxid: null,
    fundingVout: null,
    outpointClaimed: false,
    keyIndex: nextKeyIndex,
    nextActionAt: null,
    stateEnteredAt: daysAgo(days),
    createdAt: daysAgo(days),
    updatedAt: daysAgo(days),
    ...change,
  });
  const { id } = await service.channel.create({ data: row });
  for (const version of [0, 1]) {
    await service.channelEvent.create({ data: { channelId: id, version, state: 'joined', reason: 'join-accepted' } });
  }
  return id;
}

/** One round; what was removed, by kind. */
async function prune(prisma = service): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  const failures: unknown[] = [];
  const retention = new Retention(prisma, {
    owner: 'channel',
    rules: channelRules(kept, signer),
    onRemoved: (kind, rows) => (removed[kind] = (removed[kind] ?? 0) + rows),
    onDone: () => undefined,
    onFailure: (kind, failure) => failures.push([kind, failure]),
  });
  await retention.run();
  expect(failures).toEqual([]);
  return removed;
}

const row = (id: string) => service.channel.findUnique({ where: { id } });
const steps = (channelId: string) => service.channelEvent.count({ where: { channelId } });

describe('channels past their time', () => {
  it('go if nothing was paid, are archived if something was, and stay while work is owed', async () => {
    const paid = { k: 200n, signature: new Uint8Array([0x30]), frozenK: 200n };
    const refused = await store(91, { state: 'refused' });
    const buried = await store(91, { state: 'buried', ...paid });
    const owed = await store(400, { state: 'settling', ...paid, nextActionAt: daysAgo(300) });
    const young = await store(89, { state: 'refused' });

    expect(await prune()).toMatchObject({ channel: 2 });
    expect(await row(refused)).toBeNull();
    expect(await steps(refused)).toBe(0);
    expect(await row(buried)).toMatchObject({ k: 200n, state: 'buried' });
    expect((await row(buried))?.archivedAt).not.toBeNull();
    expect(await steps(buried)).toBe(0);
    for (const id of [owed, young]) {
      expect((await row(id))?.archivedAt).toBeNull();
      expect(await steps(id)).toBe(2);
    }
    // Once.
    expect(await prune()).not.toHaveProperty('channel');
  });

  it('can neither be removed by the service itself nor archived early', async () => {
    await expect(service.$executeRaw`DELETE FROM "channel"."channel_event"`).rejects.toThrow(/permission denied/);
    await expect(service.$queryRaw`SELECT "channel"."archive_channels"('1 day', 10)`).rejects.toThrow('SF008');
  });

  it('reconcile with the books after the chain’s side has forgotten their settlements, and not before', async () => {
    const txid = randomUUID();
    const payment = { k: 200n, frozenK: 200n, signature: new Uint8Array([0x30]) };
    const settlement = { settlementTxid: txid, settlementRaw: new Uint8Array([1]) };
    const id = await store(95, { state: 'buried', ...payment, ...settlement });
    // Nothing of it on the chain's side, as where it was forgotten too early.
    const codes = async () => (await reconcile(service, 60)).filter((found) => found.channelId === id);
    expect((await codes()).map(({ code }) => code)).toEqual(['settlement-not-handed-over', 'booked-not-mined']);
    await prune();
    expect(await codes()).toEqual([]);
    expect((await row(id))?.settlementRaw).not.toBeNull();
  });
});

describe('addresses of peers', () => {
  it('are hashed under a key after a week, so that equal ones are equal, and vanish after another month', async () => {
    const address = (id: string) => row(id).then((found) => found?.peerAddress);
    const [fresh, one, same, other] = await Promise.all([
      store(6, { peerAddress: '203.0.113.1' }),
      store(8, { peerAddress: '203.0.113.1' }),
      store(8, { peerAddress: '203.0.113.1', state: 'funded', nextActionAt: new Date() }),
      store(8, { peerAddress: '203.0.113.2' }),
    ]);
    const old = await store(38, { peerAddress: '203.0.113.1' });
    await prune();
    expect(await address(fresh)).toBe('203.0.113.1');
    expect(await address(one)).toBe(`hash:${await signer.hashAddress('203.0.113.1')}`);
    expect(await address(same)).toBe(await address(one));
    expect(await address(other)).not.toBe(await address(one));
    expect(await address(old)).toBe('');
    expect((await row(old))?.peerSubnet).toBe('203.0.113.0/24');
  });
});

describe('the hours of the books', () => {
  it('go for torrents and nodes after 90 days, and days, totals and every check stay right', async () => {
    const infoHash = 'cd'.repeat(20);
    const signature = new Uint8Array([0x30]);
    const payments = { infoHash, k: 200n, signature, state: 'funded', nextActionAt: new Date() } as const;
    const [old, young] = [await store(0, payments), await store(0, payments)];
    await owner.$executeRaw`ALTER TABLE "channel"."book_posting" DISABLE TRIGGER "append_only"`;
    await owner.$executeRaw`
      UPDATE "channel"."book_posting" SET "at" = now() - interval '100 days' WHERE "channelId" = ${old}::uuid`;
    await owner.$executeRaw`
      UPDATE "channel"."book_posting" SET "at" = now() - interval '80 days' WHERE "channelId" = ${young}::uuid`;
    await owner.$executeRaw`ALTER TABLE "channel"."book_posting" ENABLE TRIGGER "append_only"`;
    while ((await rollUpBooks(service, 1_000)) > 0);
    const periods = async () => {
      const rows = await service.bookRollup.findMany({
        where: { subject: 'torrent', key: infoHash, measure: 'pieces' },
        orderBy: [{ period: 'asc' }, { start: 'asc' }],
      });
      return rows.map(({ period, amount }) => `${period} ${amount}`);
    };
    const fleetHours = () => service.bookRollup.count({ where: { subject: 'fleet', period: 'hour' } });
    const before = await fleetHours();
    expect(await periods()).toEqual(['all 400', 'day 200', 'day 200', 'hour 200', 'hour 200']);

    expect(await prune()).toHaveProperty('book_rollup');
    expect(await periods()).toEqual(['all 400', 'day 200', 'day 200', 'hour 200']);
    expect(await fleetHours()).toBe(before);
    const wrong = async () =>
      (await reconcile(service, 60)).map(({ code }) => code).filter((code) => code.startsWith('rollup'));
    expect(await wrong()).toEqual([]);
    // The check still sees an hour that is wrong, and a day that is.
    for (const period of ['hour', 'day']) {
      await owner.$executeRaw`
        UPDATE "channel"."book_rollup" SET "amount" = "amount" + 1
        WHERE "subject" = 'torrent' AND "key" = ${infoHash} AND "measure" = 'pieces' AND "period" = ${period}
          AND "start" > now() - interval '90 days'`;
      expect(await wrong()).toContain('rollup-periods-differ');
      await owner.$executeRaw`
        UPDATE "channel"."book_rollup" SET "amount" = "amount" - 1
        WHERE "subject" = 'torrent' AND "key" = ${infoHash} AND "measure" = 'pieces' AND "period" = ${period}
          AND "start" > now() - interval '90 days'`;
    }
  });
});

describe('contract keys', () => {
  it('go when their channel is long over, and no number of theirs is ever given out again', async () => {
    await renewEpoch(owner, 'a seed');
    await fillPool(owner, signer, 4, 4);
    const [{ epoch } = { epoch: 0 }] = await service.keyEpoch.findMany();
    await service.contractKey.updateMany({ where: { epoch }, data: { takenAt: daysAgo(91) } });
    await store(91, { state: 'funded', keyEpoch: epoch, keyIndex: 1, nextActionAt: new Date() });
    await store(1, { state: 'nothing-owed', keyEpoch: epoch, keyIndex: 2 });
    expect(await prune()).toMatchObject({ contract_key: 2 });
    const indexes = async () =>
      (await service.contractKey.findMany({ where: { epoch }, orderBy: { index: 'asc' } })).map(({ index }) => index);
    expect(await indexes()).toEqual([1, 3]);
    await fillPool(owner, signer, 2, 2);
    expect(await indexes()).toEqual([1, 3, 4, 5]);
  });
});

describe('what waits in tables of passage', () => {
  it('stays until it is sent, and goes a week after; failed payments go after 90 days', async () => {
    await service.channelOutbox.createMany({
      data: [
        { subject: 'sent', payload: {}, createdAt: daysAgo(9), sentAt: daysAgo(8) },
        { subject: 'fresh', payload: {}, createdAt: daysAgo(6), sentAt: daysAgo(6) },
        { subject: 'unsent', payload: {}, createdAt: daysAgo(30) },
      ],
    });
    const payment = {
      nodeId: 'node-1',
      channelId: 'x',
      k: 1n,
      signature: new Uint8Array(),
      code: 'high-s',
      streamSeq: 1n,
    };
    await service.parkedPayment.createMany({
      data: [
        { ...payment, at: daysAgo(91) },
        { ...payment, at: daysAgo(89) },
      ],
    });
    expect(await prune()).toMatchObject({ outbox: 1, parked_payment: 1 });
    expect((await service.channelOutbox.findMany()).map(({ subject }) => subject).sort()).toEqual(['fresh', 'unsent']);
  });

  it('is removed by one process at a time, a batch after the other, until nothing is left', async () => {
    await service.$executeRaw`
      INSERT INTO "channel"."outbox" ("subject", "payload", "sentAt")
      SELECT 'many', '{}', now() - interval '8 days' FROM generate_series(1, 2500)`;
    const leased = owner.$transaction(
      async (tx) => {
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('retention:channel'))`;
        expect(await prune()).toEqual({});
      },
      { timeout: 60_000 },
    );
    await leased;
    expect(await prune()).toEqual({ outbox: 2_500 });
  });
});
