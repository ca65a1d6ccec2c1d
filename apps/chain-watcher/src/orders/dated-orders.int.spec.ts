import { randomUUID } from 'node:crypto';
import { createPrismaClient, deployMigrations, type PrismaClient } from '@seedfleet/persistence';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { settlementOf } from '../testing/settlement-bytes.js';
import { DatedOrders, type PassedOrder } from './dated-orders.js';

const CAPACITY_SAT = 1_000;
const PRICE_SAT = 100;

let prisma: PrismaClient;

beforeAll(async () => {
  const url = inject('postgresUrl');
  const name = `orders_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(url, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
  await admin.$disconnect();
  const database = new URL(url);
  database.pathname = `/${name}`;
  await deployMigrations(database.href);
  prisma = createPrismaClient(database.href, 2);
});

afterAll(() => prisma.$disconnect());

interface Offer {
  readonly version: number;
  readonly k: number;
  readonly feeSat: number;
  readonly state: 'waiting' | 'cancelled';
}

function orderOf(id: string, { version, k, feeSat, state }: Offer, givesUp: string | null): PassedOrder {
  const changeSat = CAPACITY_SAT - k * PRICE_SAT;
  const earnedSat = k * PRICE_SAT - feeSat;
  const schedule = { quietFromMtp: 1, towerFromMtp: 2, fleetFromMtp: 3, towerAgainFromMtp: 4, openFromMtp: 5 };
  const settlement = settlementOf({ funding: 1, changeSat, earnedSat, buyer: 7, seller: 9 });
  return { id, version, ...settlement, label: 'test', schedule, state, givesUp };
}

const offer = fc.record({
  version: fc.integer({ min: 1, max: 9 }),
  k: fc.integer({ min: 1, max: 4 }),
  feeSat: fc.constantFrom(10, 20),
  state: fc.constantFrom('waiting' as const, 'waiting' as const, 'cancelled' as const),
});

it('holds the latest payment that it was ever offered above what it held, and tells what it refused', async () => {
  const orders = new DatedOrders(prisma, true);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(offer, fc.nat({ max: 9 })), { maxLength: 10 }), async (offers) => {
      const id = randomUUID();
      let held = null as (Offer & { txid: string }) | null;
      let refused = null as { version: number; code: string } | null;
      let taken = 0;
      for (const [next, gives] of offers) {
        const isGivenUp = held !== null && gives === 0;
        const order = orderOf(id, next, isGivenUp ? (held?.txid ?? null) : null);
        const due: string =
          held === null || (next.version > held.version && (next.k >= held.k || isGivenUp))
            ? 'taken'
            : next.version > held.version
              ? 'pays-less'
              : 'known';
        expect(await orders.file(order)).toBe(due);
        if (due === 'taken') [held, refused, taken] = [{ ...next, txid: order.txid }, null, taken + 1];
        if (due === 'pays-less') refused = { version: Math.max(next.version, refused?.version ?? 0), code: due };
        const { fleet } = await orders.standing(id);
        expect(fleet).toMatchObject({ version: held?.version, txid: held?.txid, state: held?.state, refused });
      }
      // Passed on is what was taken, and nothing else.
      expect(await prisma.chainOutbox.count({ where: { subject: `chain.order.${id}` } })).toBe(taken);
    }),
    { numRuns: 25 },
  );
});

it('keeps a later payment also against an order to take it back, and passes on the word of a tower that does', async () => {
  const orders = new DatedOrders(prisma, false);
  const id = randomUUID();
  await orders.file(orderOf(id, { version: 5, k: 3, feeSat: 10, state: 'waiting' }, null));
  await orders.file(orderOf(id, { version: 20, k: 2, feeSat: 10, state: 'cancelled' }, null));
  const [held] = await orders.held([id]);
  expect(held).toMatchObject({ version: 5, state: 'waiting', refused: { version: 20, code: 'pays-less' } });
  if (held === undefined) return;
  await orders.acknowledge([held]);
  expect({ id, ...(await orders.standing(id)).tower }).toEqual(held);
});
