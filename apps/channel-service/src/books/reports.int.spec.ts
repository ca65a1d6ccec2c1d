import { Prisma } from '@seedfleet/persistence';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { BooksDatabase } from '../testing/books-database.js';
import { rollUpBooks } from './books-roll-up.js';
import { readBalances, reconcile, reconcileRunning } from './reconcile.js';

let books: BooksDatabase;

beforeAll(async () => {
  books = await BooksDatabase.make(inject('postgresUrl'));
});

afterAll(() => books.close());

describe('reports', () => {
  it('show the books by torrent, node, buyer and day, to the role that reports', async () => {
    const infoHash = 'cd'.repeat(20);
    const place = { infoHash, nodeId: 'node-report', peerSubnet: '198.51.100.0/24' };
    await books.store({ ...place, k: 987n, frozenK: 987n, state: 'buried' });
    await books.store({ ...place, k: 500n, frozenK: 500n, state: 'settling' });
    await books.store({ ...place, k: 142n, frozenK: 142n, state: 'returned' });
    await books.store({ ...place, k: 100n, state: 'funded' });
    const expected = {
      channels: 4,
      revenueSat: 6_909n + 3_500n + 994n + 700n,
      accruedSat: 700n,
      collectableSat: 0n,
      settlementFeeReservedSat: 450n,
      broadcastSat: 3_050n,
      confirmedSat: 0n,
      buriedSat: 6_459n,
      settlementFeeSat: 450n,
      uncollectableSat: 994n,
      lostSat: 0n,
      childFeeSat: 0n,
      sweptSat: 0n,
    };
    const views = [
      Prisma.sql`"channel"."revenue_by_torrent" WHERE "infoHash" = ${infoHash}`,
      Prisma.sql`"channel"."revenue_by_node" WHERE "nodeId" = 'node-report'`,
      Prisma.sql`"channel"."revenue_by_buyer" WHERE "peerSubnet" = '198.51.100.0/24'`,
    ];
    // Before and after the roll-up, and half way: what waits counts as well.
    for (const rolledUp of [0, 2, 100_000]) {
      expect(await rollUpBooks(books.service, rolledUp)).toBeGreaterThanOrEqual(Math.min(rolledUp, 2));
      for (const view of views) {
        expect(await books.market.$queryRaw(Prisma.sql`SELECT * FROM ${view}`)).toMatchObject([expected]);
      }
      const days = await books.market.$queryRaw<{ revenueSat: bigint }[]>`SELECT * FROM "channel"."revenue_by_day"`;
      const daysSat = days.reduce((sum, { revenueSat }) => sum + revenueSat, 0n);
      const balances = await readBalances(books.service);
      expect(daysSat).toBe(-(balances.get('revenue') ?? 0n));
      expect([...balances.values()].reduce((sum, amountSat) => sum + amountSat, 0n)).toBe(0n);
      expect(await reconcile(books.service, 60)).toEqual([]);
    }
    expect(await rollUpBooks(books.service, 100_000)).toBe(0);
  });

  it('agree with the entries, whatever was rolled up when, also by several at once', async () => {
    const step = fc.record({
      infoHash: fc.constantFrom('01'.repeat(20), '02'.repeat(20)),
      nodeId: fc.constantFrom('node-a', 'node-b'),
      peerSubnet: fc.constantFrom('192.0.2.0/24', '198.51.100.0/24'),
      k: fc.bigInt(1n, 900n),
      state: fc.constantFrom('funded', 'settling', 'settled', 'buried', 'lost', 'settling'),
      rollUps: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const opened: string[] = [];
        for (const { k, state, rollUps, ...place } of steps) {
          const id = await books.store({ ...place, k, state: 'funded' });
          opened.push(id);
          // The newest channel moves on, and the oldest too: back from a block as well.
          await books.service.$executeRaw`
            UPDATE "channel"."channel" SET "k" = greatest("k", ${k}), "state" = ${state}, "version" = "version" + 1
            WHERE "id" IN (${id}::uuid, ${opened[0]}::uuid) AND "frozenK" IS NULL`;
          await Promise.all(rollUps.map((postings) => rollUpBooks(books.service, postings)));
          expect(await reconcileRunning(books.service, 60)).toEqual([]);
        }
        expect(await reconcile(books.service, 60)).toEqual([]);
        expect(await books.running()).toEqual(await books.recounted());
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('show what a reorganisation took back, in its period and by name', async () => {
    const infoHash = 'ef'.repeat(20);
    const id = await books.store({ infoHash, k: 987n, frozenK: 987n, state: 'settled' });
    const move = (state: string, reason: string) => books.service.$executeRaw`
      UPDATE "channel"."channel" SET "state" = ${state}, "stateReason" = ${reason}, "version" = "version" + 1
      WHERE "id" = ${id}::uuid`;
    await move('settling', 'reorganised');
    await move('settled', 'mined');
    await move('buried', 'buried');
    const total = await books.market.$queryRaw(
      Prisma.sql`SELECT * FROM "channel"."revenue_by_torrent" WHERE "infoHash" = ${infoHash}`,
    );
    expect(total).toMatchObject([
      { channels: 1, pieces: 987n, buriedSat: 6_459n, confirmedSat: 0n, restatedSat: 6_459n },
    ]);
    const restatements = await books.market.$queryRaw(
      Prisma.sql`SELECT * FROM "channel"."revenue_restatement" WHERE "infoHash" = ${infoHash}`,
    );
    expect(restatements).toMatchObject([{ channelId: id, reason: 'reorganised', restatedSat: 6_459n }]);
  });

  it('are written by nobody else, and a wrong one is found', async () => {
    const edit = Prisma.sql`UPDATE "channel"."book_rollup" SET "amount" = "amount" + 1
      WHERE "subject" = 'fleet' AND "period" = 'day' AND "measure" = 'buried'`;
    for (const client of [books.service, books.market])
      await expect(client.$executeRaw(edit)).rejects.toThrow(/permission denied/);
    const undo = Prisma.sql`UPDATE "channel"."book_rollup" SET "amount" = "amount" - 1
      WHERE "subject" = 'fleet' AND "period" = 'day' AND "measure" = 'buried'`;
    expect(await books.owner.$executeRaw(edit)).toBeGreaterThan(0);
    expect(await reconcile(books.service, 60)).toMatchObject([
      { code: 'rollup-periods-differ', detail: 'fleet buried' },
    ]);
    await books.owner.$executeRaw(undo);
    expect(await reconcile(books.service, 60)).toEqual([]);
  });
});
