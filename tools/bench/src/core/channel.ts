import { bestEcdsa, derSignature, prepareSettlement, type ChannelParameters } from '@seedfleet/payment-channel';
import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';

/** A channel with room for any number of payments, its keys and its payments, made before anything is measured. */

const ecdsa = bestEcdsa();
const BUYER_SECRET = new Uint8Array(32).fill(0x22);

const publicKey = (secret: Uint8Array): Uint8Array => {
  const key = ecdsa.publicKeyFor(secret);
  if (key === undefined) throw new Error('toy key is no key');
  return key;
};

export const SELLER_TERMS: SellerTerms = {
  minContractFeePerKb: 1000n,
  minLock: 20,
  minPrice: 7n,
  maxSellers: 5,
  settlementFee: 450n,
};

export const BUYER_TERMS: BuyerTerms = {
  maxContractFeePerKb: 1024n,
  maxLock: 20,
  maxPrice: 7n,
  minNumberOfSellers: 1,
};

export const CHANNEL: ChannelParameters = {
  network: 'regtest',
  priceSat: SELLER_TERMS.minPrice,
  lockUnits: SELLER_TERMS.minLock,
  settlementFeeSat: SELLER_TERMS.settlementFee,
  fundingValueSat: 100_000_000n,
  fundingOutpoint: { txid: new Uint8Array(32).fill(7), index: 0 },
  buyerPublicKey: publicKey(BUYER_SECRET),
  sellerPublicKey: publicKey(new Uint8Array(32).fill(0x11)),
  buyerKeyHash: new Uint8Array(20).fill(2),
  sellerKeyHash: new Uint8Array(20).fill(1),
};

export interface Payment {
  readonly digest: Uint8Array;
  readonly compact: Uint8Array;
  /** DER, as the wire carries it. */
  readonly der: Uint8Array;
}

/** Payments 1 to `count`. */
export const signPayments = (count: number): Payment[] => {
  const template = prepareSettlement(CHANNEL);
  return Array.from({ length: count }, (_, at) => {
    const digest = template.digest(at + 1);
    const compact = ecdsa.sign(digest, BUYER_SECRET);
    return { digest, compact, der: derSignature(compact) };
  });
};
