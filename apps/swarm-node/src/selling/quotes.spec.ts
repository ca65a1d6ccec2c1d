import { policyWith } from '@seedfleet/policy';
import { describe, expect, it } from 'vitest';
import { Quotes } from './quotes.js';

const offer = {
  version: 1,
  priceSat: 100n,
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: 1_000n,
  maxSellers: 5,
  freeTier: null,
};
const buyer = { maxContractFeePerKb: 1024n, maxLock: 60, maxPrice: 1n, minNumberOfSellers: 1 };

function quotesAt(feeSat: bigint): Quotes {
  const quotes = new Quotes(policyWith());
  quotes.onFee(feeSat, false);
  return quotes;
}

describe('Quotes', () => {
  it('says nothing before it knows the fee, or while nobody opens channels', () => {
    const quotes = new Quotes(policyWith());
    expect(quotes.termsFor(offer, buyer)).toBeUndefined();
    quotes.onFee(434n, true);
    expect(quotes.termsFor(offer, buyer)).toBeUndefined();
  });

  it('fits the lock to the buyer, never the price', () => {
    expect(quotesAt(434n).termsFor(offer, buyer)).toEqual({
      minPrice: 100n,
      minLock: 60,
      settlementFee: 434n,
      minContractFeePerKb: 1_000n,
      maxSellers: 5,
    });
    expect(quotesAt(434n).termsFor(offer, undefined)?.minLock).toBe(20);
    expect(quotesAt(434n).termsFor({ ...offer, lockUnits: 33, settlementFeeSat: 900n }, buyer)).toMatchObject({
      minLock: 33,
      settlementFee: 900n,
    });
  });

  it('revises when the offer changed or the fee moved by a fifth, and lets go of joins at half as much again', () => {
    const announced = quotesAt(1_000n).termsFor(offer, buyer);
    if (announced === undefined) throw new Error('no terms');
    const worth = (feeSat: bigint, change = {}): boolean => {
      const quotes = quotesAt(feeSat);
      const fresh = quotes.termsFor({ ...offer, ...change }, buyer);
      return fresh !== undefined && quotes.isWorthRevising(announced, fresh);
    };
    expect([worth(1_000n), worth(1_199n), worth(1_200n), worth(800n), worth(1_000n, { priceSat: 99n })]).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    const stale = (feeSat: bigint): boolean => {
      const fresh = quotesAt(feeSat).termsFor(offer, buyer);
      return fresh !== undefined && quotesAt(feeSat).isStale(announced, fresh);
    };
    expect([stale(1_499n), stale(1_500n)]).toEqual([false, true]);
  });
});
