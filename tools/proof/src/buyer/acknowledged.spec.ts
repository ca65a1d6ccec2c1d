import { expect, it } from 'vitest';
import { acknowledgedPayments } from './acknowledged.js';

it('follows the window: one piece at first, one more per four payments, at most four', () => {
  // With 4 durable payments two pieces may be unpaid, with 8 three, with 12 four.
  expect([0, 1, 2, 5, 6, 7, 11, 12, 16, 17].map(acknowledgedPayments)).toEqual([0, 0, 1, 4, 4, 5, 8, 9, 12, 13]);
});
