import { randomUUID } from 'node:crypto';
import {
  createPrismaClient,
  deployMigrations,
  deployRoles,
  Retention,
  type PrismaClient,
} from '@seedfleet/persistence';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MARKET_RULES } from './rules.js';

/** The service's own role, with the rights it has in production. */
let own: PrismaClient;

beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const url = new URL(postgresUrl);
  url.pathname = `/market_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(postgresUrl, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${url.pathname.slice(1)}"`);
  await admin.$disconnect();
  await deployMigrations(url.href);
  const roles = await deployRoles(url.href, { chain: 'a', channel: 'b', market: 'c' });
  if (roles === null) throw new Error('the tests need a Postgres user that may create roles');
  own = createPrismaClient(roles.market, 2);
});

afterAll(() => own.$disconnect());

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

async function prune(): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  const failures: unknown[] = [];
  await new Retention(own, {
    owner: 'market',
    rules: MARKET_RULES,
    onRemoved: (kind, rows) => (removed[kind] = (removed[kind] ?? 0) + rows),
    onDone: () => undefined,
    onFailure: (kind, failure) => failures.push([kind, failure]),
  }).run();
  expect(failures).toEqual([]);
  return removed;
}

describe('what market-api throws away', () => {
  it('is events after a week, but the last of a node and of the chain', async () => {
    const event = (source: string, sourceId: bigint, days: number) =>
      own.fleetEvent.create({ data: { kind: 'x', subject: 'x', source, sourceId, at: daysAgo(days) } });
    await event('channel', 1n, 8);
    await event('channel', 2n, 6);
    await event('node:a', 1n, 30);
    await event('node:a', 2n, 20);
    await event('chain', 1n, 30);
    expect(await prune()).toEqual({ event: 2 });
    const left = await own.fleetEvent.findMany({ orderBy: [{ source: 'asc' }, { sourceId: 'asc' }] });
    expect(left.map(({ source, sourceId }) => `${source} ${sourceId}`)).toEqual(['chain 1', 'channel 2', 'node:a 2']);
  });

  it('is deliveries that are over, old answers, old demand, and of the audit log only what is ten years old', async () => {
    const webhook = await own.webhook.create({ data: { id: 'w', url: 'https://a', secret: new Uint8Array() } });
    const delivery = (state: string, days: number) => ({
      webhookId: webhook.id,
      kind: 'x',
      body: '',
      state,
      createdAt: daysAgo(days),
    });
    await own.webhookDelivery.createMany({
      data: [delivery('delivered', 31), delivery('delivered', 29), delivery('pending', 31)],
    });
    await own.repeatableWrite.createMany({
      data: [1, 2].map((days) => ({
        id: new Uint8Array([days]),
        requestHash: new Uint8Array(),
        createdAt: daysAgo(days - 0.5),
      })),
    });
    const facts = { infoHash: 'ab', name: 'x', pieceLength: 1, pieceCount: 1, totalBytes: 1n };
    await own.torrent.create({ data: { ...facts, metainfo: new Uint8Array(), contentPath: '/x' } });
    for (const day of [daysAgo(399), daysAgo(402)]) {
      await own.demandDay.create({ data: { infoHash: 'ab', day } });
      await own.demandBid.create({ data: { infoHash: 'ab', day, priceSat: 1n, bids: 1n } });
    }
    const entry = { actor: 'x', action: 'x', target: 'x' };
    await own.auditEntry.createMany({
      data: [
        { ...entry, at: daysAgo(3_654) },
        { ...entry, at: daysAgo(3_652) },
      ],
    });
    expect(await prune()).toEqual({
      webhook_delivery: 1,
      repeatable_write: 1,
      demand_day: 1,
      demand_bid: 1,
      audit_entry: 1,
    });
    expect(await prune()).toEqual({});
    await expect(own.auditEntry.deleteMany()).rejects.toThrow(/permission denied/);
    await expect(own.$queryRaw`SELECT market.forget_audit('30 days', 10)`).rejects.toThrow('SF008');
  });
});
