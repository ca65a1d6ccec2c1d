import { randomUUID } from 'node:crypto';
import {
  ACCOUNTS,
  accountsOf,
  accountsOfTreasury,
  postingBetween,
  type Account,
  type ChannelFacts,
} from '@seedfleet/books';
import { Prisma } from '@seedfleet/persistence';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { BooksDatabase, settlementBytes } from '../testing/books-database.js';
import { reconcile } from './reconcile.js';

let books: BooksDatabase;

beforeAll(async () => {
  books = await BooksDatabase.make(inject('postgresUrl'));
});

afterAll(() => books.close());

const newest: Prisma.Sql = Prisma.sql`(SELECT max("id") FROM "channel"."book_posting")`;

describe('the database', () => {
  const event = fc.record({
    state: fc.constantFrom(
      'joined',
      'funding-seen',
      'funded',
      'closing',
      'settling',
      'settled',
      'buried',
      'returned',
      'nothing-owed',
      'join-expired',
      'refused',
      'funding-missing',
      'settle-rejected',
      'refund-seen',
      'lost',
    ),
    pays: fc.constantFrom(0n, 0n, 1n, 60n, 142n, 143n, 200n),
    freezes: fc.boolean(),
  });

  it('posts the same as the rule of the library, whatever happens to a channel, reorganisations included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
        const id = await books.store();
        let before: ChannelFacts = { state: 'joined', k: 0n, frozenK: null, priceSat: 7n, settlementFeeSat: 450n };
        for (const { state, pays, freezes } of events) {
          const isFrozen = before.frozenK !== null;
          const k: bigint = isFrozen || before.k + pays > 994n ? before.k : before.k + pays;
          const after: ChannelFacts = { ...before, state, k, frozenK: isFrozen || freezes ? k : null };
          await books.service.$executeRaw`
            UPDATE "channel"."channel" SET "state" = ${state}, "stateReason" = 'drawn', "k" = ${k},
              "frozenK" = ${after.frozenK}, "version" = "version" + 1 WHERE "id" = ${id}::uuid`;
          const expected = postingBetween(before, after);
          if (expected.size > 0) expect(await books.lastPostingOf(id)).toEqual(new Map(expected));
          expect(await books.balancesOf(id)).toEqual(new Map(accountsOf(after)));
          before = after;
        }
      }),
      { numRuns: 40 },
    );
    // What is in the chain's tables is not the subject here: no settlement was stored.
    expect(await reconcile(books.service, 60)).toEqual([]);
  }, 60_000);

  it('holds the same as the rule of the library where an earlier payment than the last is settled', async () => {
    const settled = fc.record({ state: event.map(({ state }) => state), k: fc.bigInt(145n, 994n) });
    await fc.assert(
      fc.asyncProperty(settled, fc.bigInt(144n, 993n), async ({ state, k }, earlier) => {
        const settledK = earlier < k ? earlier : null;
        const rows = await books.service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
          SELECT "account", "amountSat" FROM "channel"."book_balances"(
            "channel"."book_place"(${state}, ${k}::bigint, ${k}::bigint, 7, 450), ${k}::bigint, ${settledK}::bigint, 7, 450)`;
        const held = new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
        const facts = { state, k, frozenK: k, settledK, priceSat: 7n, settlementFeeSat: 450n };
        expect(held).toEqual(new Map(accountsOf(facts)));
      }),
      { numRuns: 60 },
    );
  });

  it('posts what the treasury moves by the rule of the library, when it is mined and when it is not any more', async () => {
    const states = fc.constantFrom('mempool', 'rejected', 'conflicted', 'replaced', 'void', 'confirmed', 'buried');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('child', 'split', 'sweep'),
        fc.bigInt(1n, 5_000n),
        fc.array(states, { minLength: 1, maxLength: 6 }),
        async (kind, feeSat, moves) => {
          const txid = randomUUID();
          const amounts = { kind, inputSat: 10_000n, feeSat };
          const raw = settlementBytes([10_000n - feeSat]);
          await books.service.treasuryTransaction.create({
            data: { ...amounts, txid, raw, virtualBytes: 192, reason: 'drawn', madeAtHeight: 1 },
          });
          for (const state of moves) {
            await books.service.treasuryTransaction.update({ where: { txid }, data: { state } });
            const rows = await books.service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
              SELECT "account", sum("amountSat")::bigint AS "amountSat" FROM "channel"."book_line"
              WHERE "txid" = ${txid} GROUP BY "account" HAVING sum("amountSat") <> 0`;
            const held = new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
            expect(held).toEqual(new Map(accountsOfTreasury({ ...amounts, state })));
          }
          // It spends no coins, and is not on any chain: out of the way of the tests that follow.
          await books.service.treasuryTransaction.update({ where: { txid }, data: { state: 'void' } });
        },
      ),
      { numRuns: 20 },
    );
    await books.owner.$executeRaw`ALTER TABLE "channel"."treasury_transaction" DISABLE TRIGGER "keep_booked"`;
    await books.owner.$executeRaw`DELETE FROM "channel"."treasury_transaction"`;
    await books.owner.$executeRaw`ALTER TABLE "channel"."treasury_transaction" ENABLE TRIGGER "keep_booked"`;
  }, 60_000);

  it('posts nothing when no amount changes', async () => {
    const id = await books.store({ k: 200n, state: 'funded' });
    expect(await books.postings(id)).toHaveLength(1);
    await books.service.$executeRaw`UPDATE "channel"."channel" SET "nextActionAt" = now() WHERE "id" = ${id}::uuid`;
    await books.service.$executeRaw`
      UPDATE "channel"."channel" SET "state" = 'closing', "frozenK" = "k" WHERE "id" = ${id}::uuid`;
    expect(await books.postings(id)).toHaveLength(1);
  });

  it('posts for every channel of a batch, and none of it where the statement fails', async () => {
    const ids = await Promise.all([books.store({ k: 10n }), books.store({ k: 200n }), books.store()]);
    await books.service.$executeRaw`UPDATE "channel"."channel" SET "k" = "k" + 5 WHERE "id" = ANY(${ids}::uuid[])`;
    for (const [at, id] of ids.entries()) {
      expect((await books.balancesOf(id)).get('revenue')).toBe(-7n * ([15n, 205n, 5n][at] ?? 0n));
    }
    const failing = books.service.$transaction([
      books.service.$executeRaw`UPDATE "channel"."channel" SET "k" = "k" + 1 WHERE "id" = ANY(${ids}::uuid[])`,
      books.service.$executeRaw`UPDATE "channel"."channel" SET "k" = 995 WHERE "id" = ANY(${ids}::uuid[])`,
    ]);
    await expect(failing).rejects.toThrow(/channel_k_within_cap/);
    expect(await Promise.all(ids.map(async (id) => (await books.postings(id)).length))).toEqual([2, 2, 1]);
  });

  it('says why in the posting', async () => {
    const id = await books.store({ k: 987n, frozenK: 987n, state: 'refund-seen' });
    await books.service.$executeRaw`
      UPDATE "channel"."channel" SET "state" = 'lost', "stateReason" = 'refunded' WHERE "id" = ${id}::uuid`;
    expect((await books.postings(id)).at(-1)).toMatchObject({ state: 'lost', reason: 'refunded' });
    expect(await books.balancesOf(id)).toEqual(
      new Map([
        ['lost', 6_909n],
        ['revenue', -6_909n],
      ]),
    );
  });

  it('lets nobody edit the books, its owner included', async () => {
    const id = await books.store({ k: 200n });
    const edits = [
      Prisma.sql`UPDATE "channel"."book_entry" SET "amountSat" = 1`,
      Prisma.sql`UPDATE "channel"."book_posting" SET "reason" = ''`,
      Prisma.sql`DELETE FROM "channel"."book_entry"`,
      Prisma.sql`DELETE FROM "channel"."book_posting" WHERE "channelId" = ${id}::uuid`,
      Prisma.sql`TRUNCATE "channel"."book_entry"`,
      Prisma.sql`TRUNCATE "channel"."book_posting"`,
    ];
    for (const edit of edits) {
      await expect(books.owner.$executeRaw(edit)).rejects.toThrow(/append-only/);
      await expect(books.service.$executeRaw(edit)).rejects.toThrow(/permission denied/);
    }
    await expect(books.owner.$executeRaw`DELETE FROM "channel"."channel" WHERE "id" = ${id}::uuid`).rejects.toThrow(
      /books/,
    );
    await expect(books.owner.$executeRaw`TRUNCATE "channel"."channel" CASCADE`).rejects.toThrow(/books/);
  });

  it('refuses entries that do not balance, accounts that do not exist, and postings by a service', async () => {
    await books.store({ k: 200n });
    const unbalanced = Prisma.sql`
      INSERT INTO "channel"."book_entry" VALUES (${newest}, 'lost', 5), (${newest}, 'swept', -4)`;
    await expect(books.owner.$executeRaw(unbalanced)).rejects.toThrow(/does not balance/);
    const unknown = Prisma.sql`INSERT INTO "channel"."book_entry" VALUES (${newest}, 'pocket', 5)`;
    await expect(books.owner.$executeRaw(unknown)).rejects.toThrow(/book_entry_account/);
    const balanced = Prisma.sql`
      INSERT INTO "channel"."book_entry" VALUES (${newest}, 'lost', 5), (${newest}, 'swept', -5)`;
    await expect(books.service.$executeRaw(balanced)).rejects.toThrow(/permission denied/);
    await expect(books.market.$executeRaw(balanced)).rejects.toThrow(/permission denied/);
  });

  it('takes every account of the library', async () => {
    const entries = ACCOUNTS.filter((account) => account !== 'revenue').map(
      (account) => Prisma.sql`(9999999, ${account}, 1)`,
    );
    const all = Prisma.sql`
      INSERT INTO "channel"."book_entry" VALUES ${Prisma.join(entries)}, (9999999, 'revenue', ${-entries.length})`;
    // Taken back at once: it would be a difference.
    await books.owner
      .$transaction(async (transaction) => {
        expect(await transaction.$executeRaw(all)).toBe(ACCOUNTS.length);
        throw new Error('taken back');
      })
      .catch((failure: Error) => expect(failure.message).toBe('taken back'));
  });
});
