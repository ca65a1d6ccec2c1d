import { randomUUID } from 'node:crypto';
import { createPrismaClient, deployMigrations, Prisma, type PrismaClient } from '@seedfleet/persistence';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { exampleRow } from '../testing/rows.js';
import { claimDueTreasury, lookAgainAtTreasury, moveTreasury, wakeTreasury } from '../treasury/treasury-repository.js';
import type { TreasuryRow } from '../treasury/treasury-row.js';
import { claimDue, findChannel, lookAgain, wakeChannels } from './channel-repository.js';
import type { ChannelRow } from './channel-row.js';
import { moveChannel } from './transition.js';

let prisma: PrismaClient;

beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const name = `wake_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(postgresUrl, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
  await admin.$disconnect();
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await deployMigrations(url.href);
  prisma = createPrismaClient(url.href, 2);
});

afterAll(() => prisma.$disconnect());

/** What lookers and the chain do, in any order: each looker reads the row and asks the chain, then stores what it saw. */
interface Step {
  readonly who: number;
  readonly does: 'claims' | 'reads' | 'moves' | 'looks-again' | 'news';
}

const steps = fc.array(
  fc.record({
    who: fc.nat(1),
    does: fc.constantFrom<Step['does']>('claims', 'reads', 'moves', 'looks-again', 'news'),
  }),
  { minLength: 4, maxLength: 14 },
);

/** A look that began before the news is stored under the hands of the one that the news started. */
const OVERTAKEN: Step[] = [
  { who: 0, does: 'reads' },
  { who: 0, does: 'news' },
  { who: 1, does: 'claims' },
  { who: 0, does: 'moves' },
  { who: 1, does: 'moves' },
];
const RUNS = { numRuns: 150, examples: [[OVERTAKEN]] as [Step[]][] };

/** One kind of row, as these tests drive it. `height` stands for everything that the chain may say. */
interface Bench<Row> {
  begin(): Promise<void>;
  claim(): Promise<Row | null>;
  read(): Promise<Row>;
  wake(): Promise<void>;
  move(row: Row, saw: number): Promise<void>;
  lookAgain(row: Row, saw: number): Promise<void>;
  end(): Promise<{ due: boolean; knows: number }>;
}

async function play<Row>(bench: Bench<Row>, played: readonly Step[]): Promise<void> {
  await bench.begin();
  const lookers = new Map<number, { readonly row: Row; readonly saw: number }>();
  let height = 1;
  for (const { who, does } of played) {
    const looker = lookers.get(who);
    if (does === 'news') {
      height += 1;
      await bench.wake();
    } else if (does === 'claims' || does === 'reads') {
      // Whoever is at work on a row finishes that first.
      if (looker !== undefined) continue;
      const row = does === 'claims' ? await bench.claim() : await bench.read();
      if (row !== null) lookers.set(who, { row, saw: height });
    } else if (looker !== undefined) {
      lookers.delete(who);
      await (does === 'moves' ? bench.move(looker.row, looker.saw) : bench.lookAgain(looker.row, looker.saw));
    }
  }
  for (const { row, saw } of lookers.values()) await bench.lookAgain(row, saw);
  const { due, knows } = await bench.end();
  expect(due || knows === height).toBe(true);
}

describe('news that comes while a row is looked at', () => {
  const id = randomUUID();
  const set = (saw: number): readonly Prisma.Sql[] => [Prisma.sql`"fundingConfirmations" = ${saw}`];
  const channels: Bench<ChannelRow> = {
    async begin() {
      await prisma.$executeRaw`DELETE FROM "channel"."channel_event"`;
      await prisma.$executeRaw`DELETE FROM "channel"."channel"`;
      const { verdict: _, ...row } = exampleRow({ id, state: 'funding-seen', fundingConfirmations: 1 });
      await prisma.channel.create({ data: { ...row, nextActionAt: new Date(Date.now() + 60_000) } });
    },
    claim: async () => (await claimDue(prisma, ['funding-seen'], 1))[0] ?? null,
    async read() {
      const row = await findChannel(prisma, id);
      if (row === null) throw new Error('no channel');
      return row;
    },
    wake: async () => void (await wakeChannels(prisma, [id])),
    async move(row, saw) {
      const nextActionInSeconds = 300;
      await moveChannel(prisma, { channel: row, to: row.state, reason: 'seen', nextActionInSeconds, set: set(saw) });
    },
    lookAgain: (row, saw) => lookAgain(prisma, row, 300, set(saw)),
    async end() {
      const [row] = await prisma.$queryRaw<{ due: boolean; knows: number }[]>`
        SELECT "nextActionAt" <= now() AS "due", "fundingConfirmations" AS "knows" FROM "channel"."channel"`;
      if (row === undefined) throw new Error('no channel');
      return row;
    },
  };

  it('leaves a channel due, unless what is stored was seen after the news', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (played) => play(channels, played)),
      RUNS,
    );
  });

  it('wakes a final channel that rests on the chain, even while it is being stored as final', async () => {
    await channels.begin();
    const row = await channels.read();
    await channels.wake();
    const over = { channel: row, reason: 'buried', nextActionInSeconds: null } as const;
    const buried = await moveChannel(prisma, { ...over, to: 'buried' });
    expect(buried?.nextActionAt?.getTime()).toBeLessThanOrEqual(Date.now());
    await lookAgain(prisma, buried ?? row, null);
    expect((await channels.read()).nextActionAt).toBeNull();

    await channels.begin();
    const refused = await channels.read();
    await channels.wake();
    expect((await moveChannel(prisma, { ...over, channel: refused, to: 'refused' }))?.nextActionAt).toBeNull();
  });

  const txid = 'ee'.repeat(32);
  const move = (saw: number) => ({ state: 'mempool', reason: 'mempool', height: saw, confirmations: saw }) as const;
  const treasury: Bench<TreasuryRow> = {
    async begin() {
      await prisma.$executeRaw`ALTER TABLE "channel"."treasury_transaction" DISABLE TRIGGER USER`;
      await prisma.$executeRaw`DELETE FROM "channel"."treasury_transaction"`;
      await prisma.$executeRaw`
        INSERT INTO "channel"."treasury_transaction"
          ("txid", "kind", "raw", "inputSat", "feeSat", "virtualBytes", "reason", "madeAtHeight", "height", "nextActionAt")
        VALUES (${txid}, 'sweep', '\\x00', 1000, 200, 200, 'test', 1, 1, now() + interval '60 seconds')`;
    },
    claim: async () => (await claimDueTreasury(prisma, 1))[0] ?? null,
    async read() {
      const [row] = await prisma.$queryRaw<TreasuryRow[]>`SELECT * FROM "channel"."treasury_transaction"`;
      if (row === undefined) throw new Error('no transaction');
      return row;
    },
    wake: () => wakeTreasury(prisma, [txid]),
    move: async (row, saw) => void (await moveTreasury(prisma, row, { ...move(saw), nextLookSeconds: 60 })),
    // Nothing changed: only where that is true.
    lookAgain: async (row, saw) => {
      if (row.height === saw) await lookAgainAtTreasury(prisma, row, 60);
      else await moveTreasury(prisma, row, { ...move(saw), nextLookSeconds: 60 });
    },
    async end() {
      const [row] = await prisma.$queryRaw<{ due: boolean; knows: number }[]>`
        SELECT "nextActionAt" <= now() AS "due", "height" AS "knows" FROM "channel"."treasury_transaction"`;
      if (row === undefined) throw new Error('no transaction');
      return row;
    },
  };

  it('leaves a transaction of the treasury due in the same way', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (played) => play(treasury, played)),
      RUNS,
    );
  });
});
