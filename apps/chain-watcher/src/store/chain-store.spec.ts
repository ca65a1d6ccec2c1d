import type { PrismaClient } from '@seedfleet/persistence';
import { expect, it } from 'vitest';
import { ChainStore } from './chain-store.js';

it('counts open outputs only against the limit: spent ones gather for ever, and would end all sales one day', async () => {
  const states = ['unseen', 'mempool', 'confirmed', 'spent-mempool', 'spent-confirmed', 'spent-confirmed'];
  const count = (asked?: { where: { state: { not: string } } }): Promise<number> =>
    Promise.resolve(states.filter((state) => state !== asked?.where.state.not).length);
  const store = new ChainStore({ watchedOutput: { count } } as unknown as PrismaClient);
  expect(await store.watchedCount()).toBe(4);
});
