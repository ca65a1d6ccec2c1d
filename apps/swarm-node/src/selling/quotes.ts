import { sameSellerTerms } from '@seedfleet/exchange';
import { fitLock, type Policy } from '@seedfleet/policy';
import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';
import type { EffectiveOffer } from '../content/shelf.js';

/** Makes the terms of `sell`: the operator's offer, the settlement fee of the moment, the lock fitted to the buyer. */
export class Quotes {
  private feeSat: bigint | undefined;
  private draining = false;

  constructor(private readonly policy: Policy) {}

  /** News of what a settlement costs, and whether the channel service opens channels. */
  onFee(settlementFeeSat: bigint, draining: boolean): void {
    this.feeSat = settlementFeeSat;
    this.draining = draining;
  }

  /** Terms for one connection, or undefined while nothing can be quoted. */
  termsFor(offer: EffectiveOffer, buyer: BuyerTerms | undefined): SellerTerms | undefined {
    const settlementFee = offer.settlementFeeSat ?? this.feeSat;
    if (settlementFee === undefined || this.draining) return undefined;
    return {
      minPrice: offer.priceSat,
      minLock: offer.lockUnits ?? fitLock(buyer?.maxLock, this.policy),
      settlementFee,
      minContractFeePerKb: offer.minContractFeePerKbSat,
      maxSellers: offer.maxSellers,
    };
  }

  /** Whether an idle peer should hear new terms: the operator's part changed, or the fee moved enough. */
  isWorthRevising(announced: SellerTerms, fresh: SellerTerms): boolean {
    if (!sameSellerTerms({ ...announced, settlementFee: fresh.settlementFee }, fresh)) return true;
    const moved = announced.settlementFee - fresh.settlementFee;
    const percent = this.policy.requote.idleMovePercent;
    return (moved < 0n ? -moved : moved) * 100n >= announced.settlementFee * percent && moved !== 0n;
  }

  /** Whether a joined but unfunded peer must be let go before it funds: the fee has left its quote behind. */
  isStale(announced: SellerTerms, fresh: SellerTerms): boolean {
    return fresh.settlementFee * 100n >= announced.settlementFee * this.policy.requote.joinedClosePercent;
  }
}
