import { randomUUID } from 'node:crypto';
import {
  ACCOUNTS,
  accountsOf,
  accountsOfTreasury,
  postingBetween,
  type Account,
  type ChannelFacts,
} from '@seedfleet/books';
import { createPrismaClient, deployMigrations, deployRoles, Prisma, type PrismaClient } from '@seedfleet/persistence';
import { toHex } from '@seedfleet/payment-channel';
import { createLogger, Registry } from '@seedfleet/service-kit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { exampleRow } from '../testing/rows.js';
import { rollUpBooks } from './books-roll-up.js';
import { BooksWatch } from './books-watch.js';
import { readBalances, reconcile, reconcileRunning } from './reconcile.js';

let owner: PrismaClient;
/** The service's own role, with the rights it has in production. */
let service: PrismaClient;
let market: PrismaClient;
let nextKeyIndex = 0;

const newest: Prisma.Sql = Prisma.sql`(SELECT max("id") FROM "channel"."book_posting")`;

beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const name = `books_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(postgresUrl, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
  await admin.$disconnect();
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await deployMigrations(url.href);
  const roles = await deployRoles(url.href, { chain: 'chain', channel: 'channel', market: 'market' });
  if (roles === null) throw new Error('the tests need a user who may create roles');
  owner = createPrismaClient(url.href, 2);
  service = createPrismaClient(roles.channel, 2);
  market = createPrismaClient(roles.market, 1);
});

afterAll(async () => {
  await Promise.all([owner, service, market].map((client) => client.$disconnect()));
});

/** Stores a channel of the worked example: P = 7, F = 450, kMin = 143. */
async function store(change: Partial<ReturnType<typeof exampleRow>> = {}): Promise<string> {
  nextKeyIndex += 1;
  const { verdict: _none, ...row } = exampleRow({
    id: randomUUID(),
    joinId: randomUUID(),
    fundingTxid: toHex(new Uint8Array(32).fill(nextKeyIndex % 251)) + String(nextKeyIndex),
    keyIndex: nextKeyIndex,
    signature: new Uint8Array([0x30]),
    ...change,
  });
  const created = await service.channel.create({ data: row });
  return created.id;
}

async function balancesOf(channelId: string): Promise<Map<Account, bigint>> {
  const rows = await service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
    SELECT "account", sum("amountSat")::bigint AS "amountSat" FROM "channel"."book_line"
    WHERE "channelId" = ${channelId}::uuid GROUP BY "account" HAVING sum("amountSat") <> 0`;
  return new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
}

async function lastPostingOf(channelId: string): Promise<Map<Account, bigint>> {
  const rows = await service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
    SELECT "account", "amountSat" FROM "channel"."book_line" WHERE "postingId" = (
      SELECT max("id") FROM "channel"."book_posting" WHERE "channelId" = ${channelId}::uuid)`;
  return new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
}

type Held = readonly { channelId: string; account: Account; amountSat: bigint }[];

const running = (): Promise<Held> => service.$queryRaw<Held>`
  SELECT "channelId"::text, "account", "amountSat" FROM "channel"."book_now" WHERE "amountSat" <> 0 ORDER BY 1, 2`;

/** The same by all entries. */
const recounted = (): Promise<Held> => service.$queryRaw<Held>`
  SELECT p."channelId"::text, e."account", sum(e."amountSat")::bigint AS "amountSat"
  FROM "channel"."book_entry" e JOIN "channel"."book_posting" p ON p."id" = e."postingId"
  WHERE p."txid" IS NULL GROUP BY 1, 2 HAVING sum(e."amountSat") <> 0 ORDER BY 1, 2`;

const postings = (channelId: string) => service.bookPosting.findMany({ where: { channelId }, orderBy: { id: 'asc' } });

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
        const id = await store();
        let before: ChannelFacts = { state: 'joined', k: 0n, frozenK: null, priceSat: 7n, settlementFeeSat: 450n };
        for (const { state, pays, freezes } of events) {
          const isFrozen = before.frozenK !== null;
          const k: bigint = isFrozen || before.k + pays > 994n ? before.k : before.k + pays;
          const after: ChannelFacts = { ...before, state, k, frozenK: isFrozen || freezes ? k : null };
          await service.$executeRaw`
            UPDATE "channel"."channel" SET "state" = ${state}, "stateReason" = 'drawn', "k" = ${k},
              "frozenK" = ${after.frozenK}, "version" = "version" + 1 WHERE "id" = ${id}::uuid`;
          const expected = postingBetween(before, after);
          if (expected.size > 0) expect(await lastPostingOf(id)).toEqual(new Map(expected));
          expect(await balancesOf(id)).toEqual(new Map(accountsOf(after)));
          before = after;
        }
      }),
      { numRuns: 40 },
    );
    // What is in the chain's tables is not the subject here: no settlement was stored.
    expect(await reconcile(service, 60)).toEqual([]);
  }, 60_000);

  it('holds the same as the rule of the library where an earlier payment than the last is settled', async () => {
    const settled = fc.record({ state: event.map(({ state }) => state), k: fc.bigInt(145n, 994n) });
    await fc.assert(
      fc.asyncProperty(settled, fc.bigInt(144n, 993n), async ({ state, k }, earlier) => {
        const settledK = earlier < k ? earlier : null;
        const rows = await service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
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
          await service.treasuryTransaction.create({
            data: { ...amounts, txid, raw, virtualBytes: 192, reason: 'drawn', madeAtHeight: 1 },
          });
          for (const state of moves) {
            await service.treasuryTransaction.update({ where: { txid }, data: { state } });
            const rows = await service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
              SELECT "account", sum("amountSat")::bigint AS "amountSat" FROM "channel"."book_line"
              WHERE "txid" = ${txid} GROUP BY "account" HAVING sum("amountSat") <> 0`;
            const held = new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
            expect(held).toEqual(new Map(accountsOfTreasury({ ...amounts, state })));
          }
          // It spends no coins, and is not on any chain: out of the way of the tests that follow.
          await service.treasuryTransaction.update({ where: { txid }, data: { state: 'void' } });
        },
      ),
      { numRuns: 20 },
    );
    await owner.$executeRaw`ALTER TABLE "channel"."treasury_transaction" DISABLE TRIGGER "keep_booked"`;
    await owner.$executeRaw`DELETE FROM "channel"."treasury_transaction"`;
    await owner.$executeRaw`ALTER TABLE "channel"."treasury_transaction" ENABLE TRIGGER "keep_booked"`;
  }, 60_000);

  it('posts nothing when no amount changes', async () => {
    const id = await store({ k: 200n, state: 'funded' });
    expect(await postings(id)).toHaveLength(1);
    await service.$executeRaw`UPDATE "channel"."channel" SET "nextActionAt" = now() WHERE "id" = ${id}::uuid`;
    await service.$executeRaw`
      UPDATE "channel"."channel" SET "state" = 'closing', "frozenK" = "k" WHERE "id" = ${id}::uuid`;
    expect(await postings(id)).toHaveLength(1);
  });

  it('posts for every channel of a batch, and none of it where the statement fails', async () => {
    const ids = await Promise.all([store({ k: 10n }), store({ k: 200n }), store()]);
    await service.$executeRaw`UPDATE "channel"."channel" SET "k" = "k" + 5 WHERE "id" = ANY(${ids}::uuid[])`;
    for (const [at, id] of ids.entries()) {
      expect((await balancesOf(id)).get('revenue')).toBe(-7n * ([15n, 205n, 5n][at] ?? 0n));
    }
    const failing = service.$transaction([
      service.$executeRaw`UPDATE "channel"."channel" SET "k" = "k" + 1 WHERE "id" = ANY(${ids}::uuid[])`,
      service.$executeRaw`UPDATE "channel"."channel" SET "k" = 995 WHERE "id" = ANY(${ids}::uuid[])`,
    ]);
    await expect(failing).rejects.toThrow(/channel_k_within_cap/);
    expect(await Promise.all(ids.map(async (id) => (await postings(id)).length))).toEqual([2, 2, 1]);
  });

  it('says why in the posting', async () => {
    const id = await store({ k: 987n, frozenK: 987n, state: 'refund-seen' });
    await service.$executeRaw`
      UPDATE "channel"."channel" SET "state" = 'lost', "stateReason" = 'refunded' WHERE "id" = ${id}::uuid`;
    expect((await postings(id)).at(-1)).toMatchObject({ state: 'lost', reason: 'refunded' });
    expect(await balancesOf(id)).toEqual(
      new Map([
        ['lost', 6_909n],
        ['revenue', -6_909n],
      ]),
    );
  });

  it('lets nobody edit the books, its owner included', async () => {
    const id = await store({ k: 200n });
    const edits = [
      Prisma.sql`UPDATE "channel"."book_entry" SET "amountSat" = 1`,
      Prisma.sql`UPDATE "channel"."book_posting" SET "reason" = ''`,
      Prisma.sql`DELETE FROM "channel"."book_entry"`,
      Prisma.sql`DELETE FROM "channel"."book_posting" WHERE "channelId" = ${id}::uuid`,
      Prisma.sql`TRUNCATE "channel"."book_entry"`,
      Prisma.sql`TRUNCATE "channel"."book_posting"`,
    ];
    for (const edit of edits) {
      await expect(owner.$executeRaw(edit)).rejects.toThrow(/append-only/);
      await expect(service.$executeRaw(edit)).rejects.toThrow(/permission denied/);
    }
    await expect(owner.$executeRaw`DELETE FROM "channel"."channel" WHERE "id" = ${id}::uuid`).rejects.toThrow(/books/);
    await expect(owner.$executeRaw`TRUNCATE "channel"."channel" CASCADE`).rejects.toThrow(/books/);
  });

  it('refuses entries that do not balance, accounts that do not exist, and postings by a service', async () => {
    await store({ k: 200n });
    const unbalanced = Prisma.sql`
      INSERT INTO "channel"."book_entry" VALUES (${newest}, 'lost', 5), (${newest}, 'swept', -4)`;
    await expect(owner.$executeRaw(unbalanced)).rejects.toThrow(/does not balance/);
    const unknown = Prisma.sql`INSERT INTO "channel"."book_entry" VALUES (${newest}, 'pocket', 5)`;
    await expect(owner.$executeRaw(unknown)).rejects.toThrow(/book_entry_account/);
    const balanced = Prisma.sql`
      INSERT INTO "channel"."book_entry" VALUES (${newest}, 'lost', 5), (${newest}, 'swept', -5)`;
    await expect(service.$executeRaw(balanced)).rejects.toThrow(/permission denied/);
    await expect(market.$executeRaw(balanced)).rejects.toThrow(/permission denied/);
  });

  it('takes every account of the library', async () => {
    const entries = ACCOUNTS.filter((account) => account !== 'revenue').map(
      (account) => Prisma.sql`(9999999, ${account}, 1)`,
    );
    const all = Prisma.sql`
      INSERT INTO "channel"."book_entry" VALUES ${Prisma.join(entries)}, (9999999, 'revenue', ${-entries.length})`;
    // Taken back at once: it would be a difference.
    await owner
      .$transaction(async (transaction) => {
        expect(await transaction.$executeRaw(all)).toBe(ACCOUNTS.length);
        throw new Error('taken back');
      })
      .catch((failure: Error) => expect(failure.message).toBe('taken back'));
  });
});

describe('reports', () => {
  it('show the books by torrent, node, buyer and day, to the role that reports', async () => {
    const infoHash = 'cd'.repeat(20);
    const place = { infoHash, nodeId: 'node-report', peerSubnet: '198.51.100.0/24' };
    await store({ ...place, k: 987n, frozenK: 987n, state: 'buried' });
    await store({ ...place, k: 500n, frozenK: 500n, state: 'settling' });
    await store({ ...place, k: 142n, frozenK: 142n, state: 'returned' });
    await store({ ...place, k: 100n, state: 'funded' });
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
      expect(await rollUpBooks(service, rolledUp)).toBeGreaterThanOrEqual(Math.min(rolledUp, 2));
      for (const view of views) {
        expect(await market.$queryRaw(Prisma.sql`SELECT * FROM ${view}`)).toMatchObject([expected]);
      }
      const days = await market.$queryRaw<{ revenueSat: bigint }[]>`SELECT * FROM "channel"."revenue_by_day"`;
      const daysSat = days.reduce((sum, { revenueSat }) => sum + revenueSat, 0n);
      const balances = await readBalances(service);
      expect(daysSat).toBe(-(balances.get('revenue') ?? 0n));
      expect([...balances.values()].reduce((sum, amountSat) => sum + amountSat, 0n)).toBe(0n);
      expect(await reconcile(service, 60)).toEqual([]);
    }
    expect(await rollUpBooks(service, 100_000)).toBe(0);
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
          const id = await store({ ...place, k, state: 'funded' });
          opened.push(id);
          // The newest channel moves on, and the oldest too: back from a block as well.
          await service.$executeRaw`
            UPDATE "channel"."channel" SET "k" = greatest("k", ${k}), "state" = ${state}, "version" = "version" + 1
            WHERE "id" IN (${id}::uuid, ${opened[0]}::uuid) AND "frozenK" IS NULL`;
          await Promise.all(rollUps.map((postings) => rollUpBooks(service, postings)));
          expect(await reconcileRunning(service, 60)).toEqual([]);
        }
        expect(await reconcile(service, 60)).toEqual([]);
        expect(await running()).toEqual(await recounted());
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('show what a reorganisation took back, in its period and by name', async () => {
    const infoHash = 'ef'.repeat(20);
    const id = await store({ infoHash, k: 987n, frozenK: 987n, state: 'settled' });
    const move = (state: string, reason: string) => service.$executeRaw`
      UPDATE "channel"."channel" SET "state" = ${state}, "stateReason" = ${reason}, "version" = "version" + 1
      WHERE "id" = ${id}::uuid`;
    await move('settling', 'reorganised');
    await move('settled', 'mined');
    await move('buried', 'buried');
    const total = await market.$queryRaw(
      Prisma.sql`SELECT * FROM "channel"."revenue_by_torrent" WHERE "infoHash" = ${infoHash}`,
    );
    expect(total).toMatchObject([
      { channels: 1, pieces: 987n, buriedSat: 6_459n, confirmedSat: 0n, restatedSat: 6_459n },
    ]);
    const restatements = await market.$queryRaw(
      Prisma.sql`SELECT * FROM "channel"."revenue_restatement" WHERE "infoHash" = ${infoHash}`,
    );
    expect(restatements).toMatchObject([{ channelId: id, reason: 'reorganised', restatedSat: 6_459n }]);
  });

  it('are written by nobody else, and a wrong one is found', async () => {
    const edit = Prisma.sql`UPDATE "channel"."book_rollup" SET "amount" = "amount" + 1
      WHERE "subject" = 'fleet' AND "period" = 'day' AND "measure" = 'buried'`;
    for (const client of [service, market]) await expect(client.$executeRaw(edit)).rejects.toThrow(/permission denied/);
    const undo = Prisma.sql`UPDATE "channel"."book_rollup" SET "amount" = "amount" - 1
      WHERE "subject" = 'fleet' AND "period" = 'day' AND "measure" = 'buried'`;
    expect(await owner.$executeRaw(edit)).toBeGreaterThan(0);
    expect(await reconcile(service, 60)).toMatchObject([{ code: 'rollup-periods-differ', detail: 'fleet buried' }]);
    await owner.$executeRaw(undo);
    expect(await reconcile(service, 60)).toEqual([]);
  });
});

describe('reconciliation', () => {
  const RAW = settlementBytes([600n, 6_459n]);
  let nextTxid = 0;

  /** A channel that was settled after 987 payments, and what chain-watcher has of it. */
  async function settled(
    channel: Partial<ReturnType<typeof exampleRow>> = {},
    chain: Partial<Prisma.BroadcastUncheckedCreateInput> = {},
  ): Promise<string> {
    nextTxid += 1;
    const settlementTxid = nextTxid.toString(16).padStart(64, '0');
    const id = await store({
      state: 'settled',
      k: 987n,
      frozenK: 987n,
      settlementTxid,
      settlementRaw: RAW,
      settlementHeight: 120,
      ...channel,
    });
    const updatedAt = new Date(0);
    await owner.broadcast.create({
      data: {
        txid: settlementTxid,
        raw: RAW,
        label: `settlement:${id}`,
        state: 'confirmed',
        confirmedHeight: 120,
        updatedAt,
        ...chain,
      },
    });
    return id;
  }

  /** The differences of one channel, which is then made good so that the next case starts clean. */
  async function differencesOf(id: string): Promise<[string, bigint | null, bigint | null][]> {
    const found = await reconcile(service, 60);
    expect(await reconcileRunning(service, 60)).toEqual(found);
    const { settlementTxid } = await owner.channel.findUniqueOrThrow({ where: { id } });
    expect(found.filter(({ channelId }) => channelId !== id)).toEqual([]);
    await owner.$executeRaw`
      UPDATE "channel"."channel" SET "settlementHeight" = 120, "state" = 'settled',
        "settlementRaw" = ${RAW} WHERE "id" = ${id}::uuid`;
    await owner.broadcast.updateMany({
      where: { txid: settlementTxid ?? '' },
      data: { state: 'confirmed', confirmedHeight: 120, raw: RAW, label: `settlement:${id}` },
    });
    return found.map(({ code, expectedSat, actualSat }) => [code, expectedSat, actualSat]);
  }

  it('finds nothing where all agree: mined, final, change returned, on its way', async () => {
    await settled();
    await settled({ state: 'buried' }, { state: 'buried' });
    const change = settlementBytes([7_509n - 994n]);
    await settled(
      { state: 'returned', k: 142n, frozenK: 142n, settlementRaw: change },
      { state: 'buried', raw: change },
    );
    await settled({ state: 'settling', settlementHeight: null }, { state: 'mempool', confirmedHeight: null });
    expect(await reconcile(service, 60)).toEqual([]);
  });

  it('gives the news of the chain its time', async () => {
    const id = await settled({ updatedAt: new Date() }, { state: 'mempool', confirmedHeight: null });
    expect(await reconcile(service, 60)).toEqual([]);
    expect(await reconcile(service, 0)).toMatchObject([{ code: 'booked-not-mined', channelId: id }]);
    expect(await differencesOf(id)).toEqual([]);
  });

  it('finds a settlement that left its block, and one that is mined and not booked', async () => {
    const gone = await settled({}, { state: 'mempool', confirmedHeight: null });
    expect(await differencesOf(gone)).toEqual([['booked-not-mined', 0n, 6_459n]]);
    const missed = await settled({ state: 'settling', settlementHeight: null });
    expect(await differencesOf(missed)).toEqual([['mined-not-booked', 6_459n, 0n]]);
    const lost = await settled({ state: 'lost' });
    expect(await differencesOf(lost)).toEqual([['mined-not-booked', 6_459n, 0n]]);
  });

  it('finds what is final on one side only, and another block', async () => {
    expect(await differencesOf(await settled({ state: 'buried' }))).toEqual([['booked-not-buried', 0n, 6_459n]]);
    expect(await differencesOf(await settled({}, { state: 'buried' }))).toEqual([['buried-not-booked', 6_459n, 0n]]);
    expect(await differencesOf(await settled({}, { confirmedHeight: 121 }))).toEqual([['height-differs', null, null]]);
  });

  it('finds a single satoshi in the bytes that the chain has', async () => {
    const raw = settlementBytes([600n, 6_458n]);
    expect(await differencesOf(await settled({}, { raw }))).toEqual([
      ['settlement-bytes-differ', null, null],
      ['seller-output-differs', 6_458n, 6_459n],
      ['mining-fee-differs', 451n, 450n],
    ]);
    const torn = RAW.slice(0, -1);
    expect(await differencesOf(await settled({ settlementRaw: torn }, { raw: torn }))).toEqual([
      ['seller-output-differs', null, 6_459n],
      ['mining-fee-differs', null, 450n],
    ]);
  });

  it('finds a settlement that never reached the chain, and one that is no channel’s', async () => {
    const never = await store({
      state: 'settling',
      k: 987n,
      frozenK: 987n,
      settlementTxid: 'a'.repeat(64),
      settlementRaw: RAW,
    });
    expect(await reconcile(service, 60)).toMatchObject([
      { code: 'settlement-not-handed-over', channelId: never, expectedSat: 0n, actualSat: 6_459n },
    ]);
    await owner.broadcast.create({ data: { txid: 'a'.repeat(64), raw: RAW, label: `settlement:${never}` } });
    expect(await reconcile(service, 60)).toEqual([]);
    await owner.broadcast.create({ data: { txid: 'b'.repeat(64), raw: RAW, label: `settlement:${never}` } });
    expect(await reconcile(service, 60)).toMatchObject([
      { code: 'settlement-of-no-channel', channelId: never, expectedSat: 6_459n, detail: 'b'.repeat(64) },
    ]);
    await owner.broadcast.delete({ where: { txid: 'b'.repeat(64) } });
  });

  it('finds a funding of another value, and one that went elsewhere', async () => {
    const id = await settled();
    const { fundingTxid, fundingVout } = await owner.channel.findUniqueOrThrow({ where: { id } });
    const outpoint = { txid: fundingTxid ?? '', vout: fundingVout ?? 0 };
    await owner.watchedOutput.create({
      data: { ...outpoint, script: RAW, label: `funding:${id}`, valueSat: 7_508n, updatedAt: new Date(0) },
    });
    expect(await reconcile(service, 60)).toMatchObject([{ code: 'funding-value-differs', channelId: id }]);
    await owner.watchedOutput.update({
      where: { txid_vout: outpoint },
      data: { valueSat: 7_509n, state: 'spent-confirmed', spendTxid: 'c'.repeat(64) },
    });
    expect(await reconcile(service, 60)).toMatchObject([
      { code: 'spent-by-another', channelId: id, actualSat: 6_459n },
    ]);
    await owner.watchedOutput.delete({ where: { txid_vout: outpoint } });
  });

  it('finds an entry or a running balance that was changed behind the back of the database’s rules', async () => {
    const id = await store({ k: 143n, state: 'funded' });
    const [posting] = await postings(id);
    const addTo = async (table: string, where: Prisma.Sql, sat: number): Promise<void> => {
      await owner.$transaction([
        owner.$executeRaw`SET LOCAL session_replication_role = replica`,
        owner.$executeRaw`UPDATE ${Prisma.raw(table)} SET "amountSat" = "amountSat" + ${sat}
          WHERE "account" = 'collectable' AND ${where}`,
      ]);
    };
    const found = async (): Promise<readonly string[][]> => {
      const both = [await reconcile(service, 60), await reconcileRunning(service, 60)];
      return both.map((differences) => differences.map(({ code, channelId }) => `${code} ${channelId}`));
    };
    const differs = `books-not-channel ${id}`;
    const entry = Prisma.sql`"postingId" = ${posting?.id ?? 0n}`;
    const balance = Prisma.sql`"channelId" = ${id}::uuid`;
    await addTo('"channel"."book_entry"', entry, 1);
    expect((await found()).map((codes) => codes.includes(differs))).toEqual([true, true]);
    await addTo('"channel"."book_entry"', entry, -1);
    while ((await rollUpBooks(service, 1_000)) > 0);
    expect(await found()).toEqual([[], []]);
    await addTo('"channel"."book_entry"', entry, 1);
    expect((await found()).map((codes) => codes.includes(differs))).toEqual([true, false]);
    await addTo('"channel"."book_entry"', entry, -1);
    await addTo('"channel"."book_running"', balance, 1);
    expect(await found()).toEqual([[], [differs]]);
    await addTo('"channel"."book_running"', balance, -1);
    expect(await found()).toEqual([[], []]);
    const edit = Prisma.sql`UPDATE "channel"."book_running" SET "amountSat" = 0`;
    for (const client of [service, market]) await expect(client.$executeRaw(edit)).rejects.toThrow(/permission denied/);
  });

  it('finds a channel that was changed behind the back of the books', async () => {
    const id = await store({ k: 143n, state: 'funded' });
    await owner.$executeRaw`ALTER TABLE "channel"."channel" DISABLE TRIGGER "post_changed_channels"`;
    await owner.$executeRaw`UPDATE "channel"."channel" SET "k" = 144 WHERE "id" = ${id}::uuid`;
    await owner.$executeRaw`ALTER TABLE "channel"."channel" ENABLE TRIGGER "post_changed_channels"`;
    const found = await reconcile(service, 60);
    expect(found.map(({ code, account, expectedSat, actualSat }) => [code, account, expectedSat, actualSat])).toEqual(
      expect.arrayContaining([
        ['books-not-channel', 'collectable', 558n, 551n],
        ['books-not-channel', 'revenue', -1_008n, -1_001n],
      ]),
    );
    expect(found).toHaveLength(2);
  });

  it('is done at start and shown: differences, balances, when', async () => {
    const registry = new Registry();
    const watch = new BooksWatch(service, createLogger('books', 'fatal'), registry);
    const figure = async (name: string): Promise<Map<string, number>> => {
      const metric = await registry.getSingleMetric(name)?.get();
      return new Map(metric?.values.map(({ labels, value }) => [String(labels['account'] ?? ''), value]));
    };
    watch.onApplicationBootstrap();
    await expect
      .poll(async () => (await figure('seedfleet_books_reconciled_timestamp_seconds')).get(''))
      .toBeGreaterThan(Date.now() / 1_000 - 60);
    await watch.onApplicationShutdown();
    // The channel of the test before.
    expect((await figure('seedfleet_books_differences')).get('')).toBe(2);
    const balances = await figure('seedfleet_books_balance_satoshi');
    expect([...balances.keys()].sort()).toEqual([...ACCOUNTS].sort());
    expect([...balances.values()].reduce((sum, value) => sum + value, 0)).toBe(0);
    expect(balances.get('buried')).toBeGreaterThan(0);
  });
});

/** A settlement's bytes with these outputs and a script of the usual length; keys and signatures are of no account. */
function settlementBytes(amountsSat: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const script = new Uint8Array(229);
  const amount = (sat: bigint): number[] =>
    Array.from({ length: 8 }, (_, at) => Number((sat >> BigInt(8 * at)) & 0xffn));
  const output = (sat: bigint): number[] => [...amount(sat), 25, ...new Uint8Array(25)];
  const input = [...new Uint8Array(36), script.length, ...script, 255, 255, 255, 255];
  return Uint8Array.from([1, 0, 0, 0, 1, ...input, amountsSat.length, ...amountsSat.flatMap(output), 0, 0, 0, 0]);
}
