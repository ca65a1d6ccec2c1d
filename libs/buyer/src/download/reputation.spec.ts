import { expect, it } from 'vitest';
import { Reputation } from './reputation.js';

const SELLER = '10.0.0.1:7881';

it('leaves a seller at once that cheats, or falls silent before its deposit was worth it', () => {
  for (const [reason, payments] of [
    ['piece-invalid', 500],
    ['seller-timeout', 15],
  ] as const) {
    const reputation = new Reputation();
    reputation.purchaseEnded(SELLER, reason, payments);
    expect(reputation.isBanned(SELLER)).toBe(true);
    expect(reputation.isBanned('10.0.0.2:7881')).toBe(false);
  }
});

it('tries a seller again that fell silent after many pieces, as on a bad line, but not for ever', () => {
  const reputation = new Reputation();
  for (let silence = 1; silence < 8; silence += 1) {
    reputation.purchaseEnded(SELLER, 'seller-timeout', 16);
    expect(reputation.isBanned(SELLER)).toBe(false);
  }
  reputation.purchaseEnded(SELLER, 'seller-timeout', 1_000);
  expect(reputation.isBanned(SELLER)).toBe(true);
});

it('leaves a seller that only takes deposits at the second one, not one whose line was cut after a payment', () => {
  const reputation = new Reputation();
  reputation.purchaseEnded(SELLER, 'remote', 0);
  reputation.purchaseEnded(SELLER, 'remote', 1);
  expect(reputation.isBanned(SELLER)).toBe(false);
  reputation.purchaseEnded(SELLER, 'remote', 0);
  expect(reputation.isBanned(SELLER)).toBe(true);
});

it('forgets a fruitless deposit once the seller has delivered, as over a line that is cut all night', () => {
  const reputation = new Reputation();
  for (let cut = 0; cut < 50; cut += 1) {
    reputation.purchaseEnded(SELLER, 'remote', 0);
    expect(reputation.isBanned(SELLER)).toBe(false);
    reputation.purchaseEnded(SELLER, 'remote', 16);
  }
});
