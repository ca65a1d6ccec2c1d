import { ACCOUNTS } from '@seedfleet/books';
import { Prisma } from '@seedfleet/persistence';
import { createLogger, Registry } from '@seedfleet/service-kit';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { BooksDatabase, settlementBytes } from '../testing/books-database.js';
import type { exampleRow } from '../testing/rows.js';
import { rollUpBooks } from './books-roll-up.js';
import { BooksWatch } from './books-watch.js';
import { reconcile, reconcileRunning } from './reconcile.js';

let books: BooksDatabase;

beforeAll(async () => {
  books = await BooksDatabase.make(inject('postgresUrl'));
});

afterAll(() => books.close());

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
    const id = await books.store({
      state: 'settled',
      k: 987n,
      frozenK: 987n,
      settlementTxid,
      settlementRaw: RAW,
      settlementHeight: 120,
      ...channel,
    });
    const updatedAt = new Date(0);
    await books.owner.broadcast.create({
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
    const found = await reconcile(books.service, 60);
    expect(await reconcileRunning(books.service, 60)).toEqual(found);
    const { settlementTxid } = await books.owner.channel.findUniqueOrThrow({ where: { id } });
    expect(found.filter(({ channelId }) => channelId !== id)).toEqual([]);
    await books.owner.$executeRaw`
      UPDATE "channel"."channel" SET "settlementHeight" = 120, "state" = 'settled',
        "settlementRaw" = ${RAW} WHERE "id" = ${id}::uuid`;
    await books.owner.broadcast.updateMany({
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
    expect(await reconcile(books.service, 60)).toEqual([]);
  });

  it('gives the news of the chain its time', async () => {
    const id = await settled({ updatedAt: new Date() }, { state: 'mempool', confirmedHeight: null });
    expect(await reconcile(books.service, 60)).toEqual([]);
    expect(await reconcile(books.service, 0)).toMatchObject([{ code: 'booked-not-mined', channelId: id }]);
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
    const never = await books.store({
      state: 'settling',
      k: 987n,
      frozenK: 987n,
      settlementTxid: 'a'.repeat(64),
      settlementRaw: RAW,
    });
    expect(await reconcile(books.service, 60)).toMatchObject([
      { code: 'settlement-not-handed-over', channelId: never, expectedSat: 0n, actualSat: 6_459n },
    ]);
    await books.owner.broadcast.create({ data: { txid: 'a'.repeat(64), raw: RAW, label: `settlement:${never}` } });
    expect(await reconcile(books.service, 60)).toEqual([]);
    await books.owner.broadcast.create({ data: { txid: 'b'.repeat(64), raw: RAW, label: `settlement:${never}` } });
    expect(await reconcile(books.service, 60)).toMatchObject([
      { code: 'settlement-of-no-channel', channelId: never, expectedSat: 6_459n, detail: 'b'.repeat(64) },
    ]);
    await books.owner.broadcast.delete({ where: { txid: 'b'.repeat(64) } });
  });

  it('finds a funding of another value, and one that went elsewhere', async () => {
    const id = await settled();
    const { fundingTxid, fundingVout } = await books.owner.channel.findUniqueOrThrow({ where: { id } });
    const outpoint = { txid: fundingTxid ?? '', vout: fundingVout ?? 0 };
    await books.owner.watchedOutput.create({
      data: { ...outpoint, script: RAW, label: `funding:${id}`, valueSat: 7_508n, updatedAt: new Date(0) },
    });
    expect(await reconcile(books.service, 60)).toMatchObject([{ code: 'funding-value-differs', channelId: id }]);
    await books.owner.watchedOutput.update({
      where: { txid_vout: outpoint },
      data: { valueSat: 7_509n, state: 'spent-confirmed', spendTxid: 'c'.repeat(64) },
    });
    expect(await reconcile(books.service, 60)).toMatchObject([
      { code: 'spent-by-another', channelId: id, actualSat: 6_459n },
    ]);
    await books.owner.watchedOutput.delete({ where: { txid_vout: outpoint } });
  });

  it('finds an entry or a running balance that was changed behind the back of the database’s rules', async () => {
    const id = await books.store({ k: 143n, state: 'funded' });
    const [posting] = await books.postings(id);
    const addTo = async (table: string, where: Prisma.Sql, sat: number): Promise<void> => {
      await books.owner.$transaction([
        books.owner.$executeRaw`SET LOCAL session_replication_role = replica`,
        books.owner.$executeRaw`UPDATE ${Prisma.raw(table)} SET "amountSat" = "amountSat" + ${sat}
          WHERE "account" = 'collectable' AND ${where}`,
      ]);
    };
    const found = async (): Promise<readonly string[][]> => {
      const both = [await reconcile(books.service, 60), await reconcileRunning(books.service, 60)];
      return both.map((differences) => differences.map(({ code, channelId }) => `${code} ${channelId}`));
    };
    const differs = `books-not-channel ${id}`;
    const entry = Prisma.sql`"postingId" = ${posting?.id ?? 0n}`;
    const balance = Prisma.sql`"channelId" = ${id}::uuid`;
    await addTo('"channel"."book_entry"', entry, 1);
    expect((await found()).map((codes) => codes.includes(differs))).toEqual([true, true]);
    await addTo('"channel"."book_entry"', entry, -1);
    while ((await rollUpBooks(books.service, 1_000)) > 0);
    expect(await found()).toEqual([[], []]);
    await addTo('"channel"."book_entry"', entry, 1);
    expect((await found()).map((codes) => codes.includes(differs))).toEqual([true, false]);
    await addTo('"channel"."book_entry"', entry, -1);
    await addTo('"channel"."book_running"', balance, 1);
    expect(await found()).toEqual([[], [differs]]);
    await addTo('"channel"."book_running"', balance, -1);
    expect(await found()).toEqual([[], []]);
    const edit = Prisma.sql`UPDATE "channel"."book_running" SET "amountSat" = 0`;
    for (const client of [books.service, books.market])
      await expect(client.$executeRaw(edit)).rejects.toThrow(/permission denied/);
  });

  it('finds a torrent’s sum that is not its roll-up', async () => {
    await books.store({ k: 143n, state: 'funded' });
    while ((await rollUpBooks(books.service, 1_000)) > 0);
    expect(await reconcile(books.service, 60)).toEqual([]);
    const add = (sat: number) =>
      books.owner.$executeRaw`UPDATE "channel"."book_torrent" SET "revenue" = "revenue" + ${sat}`;
    expect(await add(1)).toBeGreaterThan(0);
    const differs = expect.objectContaining({ code: 'rollup-total-differs' });
    expect(await reconcile(books.service, 60)).toContainEqual(differs);
    await add(-1);
    expect(await reconcile(books.service, 60)).toEqual([]);
    const edit = Prisma.sql`UPDATE "channel"."book_torrent" SET "revenue" = 0`;
    for (const client of [books.service, books.market])
      await expect(client.$executeRaw(edit)).rejects.toThrow(/permission denied/);
  });

  it('finds a channel that was changed behind the back of the books', async () => {
    const id = await books.store({ k: 143n, state: 'funded' });
    await books.owner.$executeRaw`ALTER TABLE "channel"."channel" DISABLE TRIGGER "post_changed_channels"`;
    await books.owner.$executeRaw`UPDATE "channel"."channel" SET "k" = 144 WHERE "id" = ${id}::uuid`;
    await books.owner.$executeRaw`ALTER TABLE "channel"."channel" ENABLE TRIGGER "post_changed_channels"`;
    const found = await reconcile(books.service, 60);
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
    const watch = new BooksWatch(books.service, createLogger('books', 'fatal'), registry);
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
