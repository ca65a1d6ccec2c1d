import { randomUUID } from 'node:crypto';
import type { Account } from '@seedfleet/books';
import {
  createPrismaClient,
  deployMigrations,
  deployRoles,
  type Prisma,
  type PrismaClient,
} from '@seedfleet/persistence';
import { toHex } from '@seedfleet/payment-channel';
import { exampleRow } from './rows.js';

type Held = readonly { channelId: string; account: Account; amountSat: bigint }[];

/** A database of its own with all migrations, and the clients that the books are tried with. */
export class BooksDatabase {
  private nextKeyIndex = 0;

  private constructor(
    readonly owner: PrismaClient,
    /** The service's own role, with the rights it has in production. */
    readonly service: PrismaClient,
    readonly market: PrismaClient,
  ) {}

  static async make(postgresUrl: string): Promise<BooksDatabase> {
    const name = `books_${randomUUID().slice(0, 8)}`;
    const admin = createPrismaClient(postgresUrl, 1);
    await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
    await admin.$disconnect();
    const url = new URL(postgresUrl);
    url.pathname = `/${name}`;
    await deployMigrations(url.href);
    const roles = await deployRoles(url.href, { chain: 'chain', channel: 'channel', market: 'market' });
    if (roles === null) throw new Error('the tests need a user who may create roles');
    return new BooksDatabase(
      createPrismaClient(url.href, 2),
      createPrismaClient(roles.channel, 2),
      createPrismaClient(roles.market, 1),
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.owner, this.service, this.market].map((client) => client.$disconnect()));
  }

  /** Stores a channel of the worked example: P = 7, F = 450, kMin = 143. Returns its id. */
  async store(change: Partial<ReturnType<typeof exampleRow>> = {}): Promise<string> {
    this.nextKeyIndex += 1;
    const { verdict: _none, ...row } = exampleRow({
      id: randomUUID(),
      joinId: randomUUID(),
      fundingTxid: toHex(new Uint8Array(32).fill(this.nextKeyIndex % 251)) + String(this.nextKeyIndex),
      keyIndex: this.nextKeyIndex,
      signature: new Uint8Array([0x30]),
      ...change,
    });
    const created = await this.service.channel.create({ data: row });
    return created.id;
  }

  /** What a channel holds by account, from its entries. */
  async balancesOf(channelId: string): Promise<Map<Account, bigint>> {
    const rows = await this.service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
      SELECT "account", sum("amountSat")::bigint AS "amountSat" FROM "channel"."book_line"
      WHERE "channelId" = ${channelId}::uuid GROUP BY "account" HAVING sum("amountSat") <> 0`;
    return new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
  }

  async lastPostingOf(channelId: string): Promise<Map<Account, bigint>> {
    const rows = await this.service.$queryRaw<{ account: Account; amountSat: bigint }[]>`
      SELECT "account", "amountSat" FROM "channel"."book_line" WHERE "postingId" = (
        SELECT max("id") FROM "channel"."book_posting" WHERE "channelId" = ${channelId}::uuid)`;
    return new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
  }

  /** What every channel holds by the running balances. */
  running(): Promise<Held> {
    return this.service.$queryRaw<Held>`
      SELECT "channelId"::text, "account", "amountSat" FROM "channel"."book_now" WHERE "amountSat" <> 0 ORDER BY 1, 2`;
  }

  /** The same by all entries. */
  recounted(): Promise<Held> {
    return this.service.$queryRaw<Held>`
      SELECT p."channelId"::text, e."account", sum(e."amountSat")::bigint AS "amountSat"
      FROM "channel"."book_entry" e JOIN "channel"."book_posting" p ON p."id" = e."postingId"
      WHERE p."txid" IS NULL GROUP BY 1, 2 HAVING sum(e."amountSat") <> 0 ORDER BY 1, 2`;
  }

  postings(channelId: string): Promise<Prisma.BookPostingModel[]> {
    return this.service.bookPosting.findMany({ where: { channelId }, orderBy: { id: 'asc' } });
  }
}

/** A settlement's bytes with these outputs and a script of the usual length; keys and signatures are of no account. */
export function settlementBytes(amountsSat: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const script = new Uint8Array(229);
  const amount = (sat: bigint): number[] =>
    Array.from({ length: 8 }, (_, at) => Number((sat >> BigInt(8 * at)) & 0xffn));
  const output = (sat: bigint): number[] => [...amount(sat), 25, ...new Uint8Array(25)];
  const input = [...new Uint8Array(36), script.length, ...script, 255, 255, 255, 255];
  return Uint8Array.from([1, 0, 0, 0, 1, ...input, amountsSat.length, ...amountsSat.flatMap(output), 0, 0, 0, 0]);
}
