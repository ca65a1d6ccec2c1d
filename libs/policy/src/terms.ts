import { LOCK_UNIT_SECONDS } from '@seedfleet/payment-channel';
import type { FeeEstimates } from './fees.js';
import { settlementFeeSat } from './fees.js';
import type { Policy } from './policy.js';

/** From an operator's offer to the terms that one connection gets. */

/** What an operator sells a torrent for. */
export interface Offer {
  readonly priceSat: bigint;
  /** Longest lock, units of 512 s; absent: the policy's. */
  readonly maxLockUnits?: number;
  /** Absent: the policy's. */
  readonly maxSellers?: number;
  /** Absent: the policy's. */
  readonly minContractFeePerKbSat?: bigint;
  /** Let the price follow a buyer's maximum down to this floor. Absent: the price never follows the buyer. */
  readonly floorPriceSat?: bigint;
}

/** What the peer's `buy` said. */
export interface BuyerLimits {
  readonly maxPriceSat: bigint;
  readonly maxLockUnits: number;
}

/** The content of our `sell`. */
export interface DerivedTerms {
  readonly priceSat: bigint;
  readonly lockUnits: number;
  readonly maxSellers: number;
  readonly minContractFeePerKbSat: bigint;
  readonly settlementFeeSat: bigint;
}

/** The terms for one connection. `buyer` is absent where `sell` has to go before the peer's `buy` came. */
export function deriveTerms(
  offer: Offer,
  buyer: BuyerLimits | undefined,
  estimates: FeeEstimates,
  policy: Policy,
): DerivedTerms {
  return {
    priceSat: fitPrice(offer, buyer),
    lockUnits: fitLock(buyer?.maxLockUnits, policy, offer.maxLockUnits),
    maxSellers: offer.maxSellers ?? policy.terms.maxSellers,
    minContractFeePerKbSat: offer.minContractFeePerKbSat ?? policy.terms.minContractFeePerKbSat,
    settlementFeeSat: settlementFeeSat(estimates, policy),
  };
}

/**
 * The longest lock that the buyer accepts, within the policy: a long channel spares the buyer a second funding. A buyer
 * that accepts less than the shortest lock gets the shortest, and so no sale: there would be no time to settle.
 */
export function fitLock(buyerMaxUnits: number | undefined, policy: Policy, offerMaxUnits?: number): number {
  const { minUnits, maxUnits, unknownBuyerUnits } = policy.lock;
  const most = Math.max(minUnits, Math.min(offerMaxUnits ?? maxUnits, maxUnits));
  return Math.max(minUnits, Math.min(buyerMaxUnits ?? unknownBuyerUnits, most));
}

function fitPrice(offer: Offer, buyer: BuyerLimits | undefined): bigint {
  const { priceSat, floorPriceSat } = offer;
  if (!buyer || floorPriceSat === undefined || buyer.maxPriceSat >= priceSat) return priceSat;
  return buyer.maxPriceSat >= floorPriceSat ? buyer.maxPriceSat : priceSat;
}

/**
 * The shortest lock that an operator may set, units of 512 s. On regtest, where blocks come on demand and nothing is
 * worth anything, any: clients that are tried there accept less than those of users. Never chosen unless it is set.
 */
export function shortestLockUnits(network: string, policy: Policy): number {
  return network === 'regtest' || network === 'regtest_bitcoin_cash' ? 1 : policy.lock.minUnits;
}

/** The margin before a refund matures, seconds; of a lock shorter than policy's at most half, so that a sale is possible. */
export function marginWithinLock(marginSeconds: number, lockUnits: number, policy: Policy): number {
  if (lockUnits >= policy.lock.minUnits) return marginSeconds;
  return Math.min(marginSeconds, Math.floor((lockUnits * LOCK_UNIT_SECONDS) / 2));
}
