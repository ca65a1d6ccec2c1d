import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';

/**
 * Whether a buyer's and a seller's terms fit (wire protocol §6). The settlement fee is not compared: the seller pays it
 * out of its earnings.
 */
export const termsFit = (buyer: BuyerTerms, seller: SellerTerms): boolean =>
  seller.minPrice <= buyer.maxPrice &&
  seller.minLock <= buyer.maxLock &&
  seller.maxSellers >= buyer.minNumberOfSellers &&
  seller.minContractFeePerKb <= buyer.maxContractFeePerKb;

/** Whether two quotes ask for the same. A buyer invites again on every fitting `sell`, so repeating one would loop. */
export const sameSellerTerms = (a: SellerTerms, b: SellerTerms): boolean =>
  a.minPrice === b.minPrice &&
  a.minLock === b.minLock &&
  a.maxSellers === b.maxSellers &&
  a.minContractFeePerKb === b.minContractFeePerKb &&
  a.settlementFee === b.settlementFee;
