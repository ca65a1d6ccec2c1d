import type { buyerTerms, sellerTerms } from '@seedfleet/bus';
import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';
import type { z } from 'zod';

/** Terms between the wire's names and the bus's. */

export function sellerTermsToBus(terms: SellerTerms): z.output<typeof sellerTerms> {
  return {
    priceSat: terms.minPrice,
    lockUnits: terms.minLock,
    settlementFeeSat: terms.settlementFee,
    minContractFeePerKbSat: terms.minContractFeePerKb,
    maxSellers: terms.maxSellers,
  };
}

export function sellerTermsFromBus(terms: z.output<typeof sellerTerms>): SellerTerms {
  return {
    minPrice: terms.priceSat,
    minLock: terms.lockUnits,
    settlementFee: terms.settlementFeeSat,
    minContractFeePerKb: terms.minContractFeePerKbSat,
    maxSellers: terms.maxSellers,
  };
}

export function buyerTermsToBus(terms: BuyerTerms): z.output<typeof buyerTerms> {
  return {
    maxPriceSat: terms.maxPrice,
    maxLockUnits: terms.maxLock,
    maxContractFeePerKbSat: terms.maxContractFeePerKb,
    minSellers: terms.minNumberOfSellers,
  };
}
