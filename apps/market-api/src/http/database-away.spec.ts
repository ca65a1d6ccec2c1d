import { createServer, type AddressInfo } from 'node:net';
import { createPrismaClient } from '@seedfleet/persistence';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isDatabaseAway } from './database-away.js';

describe('a database that is away', () => {
  const slammer = createServer((socket) => socket.destroy());
  beforeAll(() => new Promise<void>((resolve) => slammer.listen(0, '127.0.0.1', resolve)));
  afterAll(() => slammer.close());

  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

  it('is known by the errors of models, raw queries and transactions', async () => {
    const { port } = slammer.address() as AddressInfo;
    for (const url of ['postgres://nobody@127.0.0.1:1/none', `postgres://nobody@127.0.0.1:${port}/none`]) {
      const prisma = createPrismaClient(url, 1);
      expect(isDatabaseAway(await failureOf(prisma.apiKey.count()))).toBe(true);
      expect(isDatabaseAway(await failureOf(prisma.$queryRaw`SELECT 1`))).toBe(true);
      expect(isDatabaseAway(await failureOf(prisma.$transaction((tx) => tx.apiKey.count())))).toBe(true);
      await prisma.$disconnect();
    }
  });

  it('is not taken for a fault of ours, nor the other way round', () => {
    expect(isDatabaseAway(new Error('a fault'))).toBe(false);
    expect(isDatabaseAway({ code: 'P2002', message: 'unique constraint' })).toBe(false);
    expect(isDatabaseAway(undefined)).toBe(false);
  });
});
