import { expect, it } from 'vitest';
import { z } from 'zod';
import { idWithinSale, newSaleId, saleIdOf } from './sale-id.js';

it('gives every join and channel of a sale an id of its own that begins with the sale’s', () => {
  const sale = newSaleId();
  const ids = Array.from({ length: 100 }, () => idWithinSale(sale));
  expect(new Set(ids).size).toBe(100);
  expect(new Set(ids.map(saleIdOf))).toEqual(new Set([sale]));
  for (const id of ids) expect(z.uuid().safeParse(id).success).toBe(true);
  expect(newSaleId()).not.toBe(sale);
});
