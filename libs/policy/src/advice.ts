import type { Policy } from './policy.js';
import { gateAtJoin } from './gates.js';

/** What a torrent should cost, by what buyers bid. Integers only; satoshi per piece. */

export interface Bid {
  /** Most that these buyers pay for a piece. */
  readonly priceSat: bigint;
  /** How many of them. */
  readonly buyers: bigint;
}

export interface AdviceFacts {
  readonly pieces: number;
  readonly bids: readonly Bid[];
  readonly currentPriceSat: bigint;
  /** What default buyers accept. */
  readonly defaultPriceSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly sweepCostSat: bigint;
  readonly speedTestsAnswered: bigint;
  readonly lostAfterSpeedTest: bigint;
  readonly joined: bigint;
  readonly lostAfterJoin: bigint;
}

export type AdviceReason =
  /** Too few bids to learn from: the price that default buyers accept. */
  | 'too-few-bids'
  /** At this price the bids bring the most. */
  | 'best-for-bids'
  /** No price that buyers bid pays for its settlement; the suggestion is the lowest that would, or the default. */
  | 'bids-below-cost'
  /** More than half of the buyers left after our speed test: the price is not what loses them. */
  | 'loses-speed-tests'
  /** More than half of those who joined went elsewhere: others may be cheaper. */
  | 'loses-after-joining';

export interface Advice {
  readonly priceSat: bigint;
  readonly reasons: readonly AdviceReason[];
  /** Of all bids, those that accept the suggestion, and those that accept the present price. */
  readonly acceptedBids: bigint;
  readonly acceptedNow: bigint;
  readonly bids: bigint;
  /** Net of fees if every accepting buyer buys all pieces, at the suggestion and at the present price. */
  readonly expectedNetSat: bigint;
  readonly expectedNetNowSat: bigint;
}

export function adviseOnPrice(facts: AdviceFacts, policy: Policy): Advice {
  const bids = facts.bids.reduce((sum, { buyers }) => sum + buyers, 0n);
  const sensible = (price: bigint): boolean => gateAtJoin({ ...facts, priceSat: price }, policy).ok;
  const accepting = (price: bigint): bigint =>
    facts.bids.reduce((sum, bid) => (bid.priceSat >= price ? sum + bid.buyers : sum), 0n);
  const net = (price: bigint): bigint => {
    const each = BigInt(facts.pieces) * price - facts.settlementFeeSat - facts.sweepCostSat;
    return sensible(price) && each > 0n ? accepting(price) * each : 0n;
  };
  const lossy = losses(facts, policy);
  const advise = (priceSat: bigint, reason: AdviceReason): Advice => ({
    priceSat,
    reasons: [reason, ...lossy],
    acceptedBids: accepting(priceSat),
    acceptedNow: accepting(facts.currentPriceSat),
    bids,
    expectedNetSat: net(priceSat),
    expectedNetNowSat: net(facts.currentPriceSat),
  });
  if (bids < policy.advice.minBids) return advise(facts.defaultPriceSat, 'too-few-bids');
  // Between two bids a lower price sells to nobody more, so only the bids themselves can be best; the present price stays
  // where nothing is better.
  const candidates = [facts.currentPriceSat, ...facts.bids.map(({ priceSat }) => priceSat)].filter(
    (price) => price > 0n,
  );
  const best = candidates.reduce((a, b) => (net(b) > net(a) ? b : a));
  return net(best) > 0n ? advise(best, 'best-for-bids') : advise(facts.defaultPriceSat, 'bids-below-cost');
}

function losses(facts: AdviceFacts, policy: Policy): AdviceReason[] {
  const { minBids } = policy.advice;
  const found: AdviceReason[] = [];
  if (facts.speedTestsAnswered >= minBids && facts.lostAfterSpeedTest * 2n > facts.speedTestsAnswered) {
    found.push('loses-speed-tests');
  }
  if (facts.joined >= minBids && facts.lostAfterJoin * 2n > facts.joined) found.push('loses-after-joining');
  return found;
}
