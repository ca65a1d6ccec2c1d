import { expect, it } from 'vitest';
import { SellerSearch } from './seller-search.js';

it('is over after a minute of looking', () => {
  const search = new SellerSearch();
  expect(search.follow('inviting', 1_000)).toBe(true);
  expect(search.follow('inviting', 30_000)).toBe(false);
  expect(search.isOver(60_999)).toBe(false);
  expect(search.isOver(61_000)).toBe(true);
});

it('is not over while a contract is made, and begins anew when that is given up', () => {
  const search = new SellerSearch();
  search.follow('inviting', 0);
  search.follow('preparing', 59_000);
  expect(search.isOver(70_000)).toBe(false);
  expect(search.follow('inviting', 80_000)).toBe(true);
  expect(search.isOver(139_999)).toBe(false);
  expect(search.isOver(140_000)).toBe(true);
});
