import { randomUUID } from 'node:crypto';
import { createPrismaClient, deployMigrations, Retention, type PrismaClient } from '@seedfleet/persistence';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CHAIN_RULES } from './rules.js';

const TIP = 10_000;
let prisma: PrismaClient;

beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const url = new URL(postgresUrl);
  url.pathname = `/chain_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(postgresUrl, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${url.pathname.slice(1)}"`);
  await admin.$disconnect();
  await deployMigrations(url.href);
  prisma = createPrismaClient(url.href, 2);
  await prisma.chainBlock.create({ data: { height: TIP, hash: 'tip', previousHash: '', medianTimePast: 0 } });
});

afterAll(() => prisma.$disconnect());

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

async function prune(): Promise<void> {
  const failures: unknown[] = [];
  await new Retention(prisma, {
    owner: 'chain',
    rules: CHAIN_RULES,
    onRemoved: () => undefined,
    onDone: () => undefined,
    onFailure: (kind, failure) => failures.push([kind, failure]),
  }).run();
  expect(failures).toEqual([]);
}

describe('what chain-watcher keeps', () => {
  it('is every output whose story can go on, and the others for 120 days', async () => {
    const output = (txid: string, state: string, days: number, spendHeight: number | null = null) =>
      prisma.watchedOutput.create({
        data: { txid, vout: 0, script: new Uint8Array(), label: '', state, spendHeight, updatedAt: daysAgo(days) },
      });
    await output('unseen-15', 'unseen', 15);
    await output('unseen-13', 'unseen', 13);
    await output('spent-121', 'spent-confirmed', 121, TIP - 200);
    await output('spent-119', 'spent-confirmed', 119, TIP - 200);
    // A chain that stood still: a reorganisation could still give the output back.
    await output('spent-above', 'spent-confirmed', 121, TIP - 199);
    await output('unspent', 'confirmed', 4_000);
    await output('mempool', 'spent-mempool', 4_000);
    await prune();
    const left = await prisma.watchedOutput.findMany({ orderBy: { txid: 'asc' } });
    expect(left.map(({ txid }) => txid)).toEqual(['mempool', 'spent-119', 'spent-above', 'unseen-13', 'unspent']);
  });

  it('is every transaction that is still sent, and those that are buried for 120 days', async () => {
    const broadcast = (txid: string, state: string, days: number, confirmedHeight: number | null = null) =>
      prisma.broadcast.create({
        data: { txid, raw: new Uint8Array(), label: '', state, confirmedHeight, updatedAt: daysAgo(days) },
      });
    await broadcast('buried-121', 'buried', 121, TIP - 200);
    await broadcast('buried-119', 'buried', 119, TIP - 200);
    await broadcast('buried-above', 'buried', 121, TIP - 199);
    await broadcast('withdrawn-121', 'withdrawn', 121);
    const overtaken = (txid: string, days: number, rivalHeight: number) =>
      prisma.broadcast.create({
        data: {
          ...{ txid, raw: new Uint8Array(), label: '', state: 'overtaken' },
          ...{ rivalHeight, rivalHash: 'ab', updatedAt: daysAgo(days) },
        },
      });
    await overtaken('overtaken-121', 121, TIP - 200);
    await overtaken('overtaken-above', 121, TIP - 199);
    for (const state of ['stored', 'mempool', 'confirmed', 'rejected', 'conflicted']) {
      await broadcast(state, state, 4_000, state === 'confirmed' ? 1 : null);
    }
    await prune();
    const left = await prisma.broadcast.findMany({ orderBy: { txid: 'asc' } });
    expect(left.map(({ txid }) => txid)).toEqual([
      'buried-119',
      'buried-above',
      'confirmed',
      'conflicted',
      'mempool',
      'overtaken-above',
      'rejected',
      'stored',
    ]);
  });
});
