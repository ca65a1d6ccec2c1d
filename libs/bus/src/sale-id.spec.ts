import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { idWithinSale, saleIdOf } from './sale-id.js';

it('gives every join and channel of a sale an id of its own that begins with the sale’s', () => {
  const sale = saleIdOf(randomUUID());
  const ids = Array.from({ length: 100 }, () => idWithinSale(sale, randomUUID()));
  expect(new Set(ids).size).toBe(100);
  expect(new Set(ids.map(saleIdOf))).toEqual(new Set([sale]));
  for (const id of ids) expect(z.uuid().safeParse(id).success).toBe(true);
  expect(saleIdOf(randomUUID())).not.toBe(sale);
});
