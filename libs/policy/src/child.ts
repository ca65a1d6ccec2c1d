import type { FeeEstimates } from './fees.js';
import { isUnderpaid } from './fees.js';
import type { Policy } from './policy.js';

/** Whether a settlement gets a child that pays for it, and how much that may cost. */

export type ChildReason =
  /** Few blocks are left before the refund matures. */
  | 'few-safe-blocks'
  /** The frozen fee has fallen behind the estimate. */
  | 'fee-behind-estimate'
  /** The node's mempool takes nothing as cheap as the settlement. */
  | 'below-node-minimum'
  /** A refund of the buyer is in the mempool: whichever pays more is mined. */
  | 'rival-in-mempool';

/** Why a child goes along with the settlement, or undefined where none is needed. */
export function childReason(
  settlement: { readonly settlementFeeSat: bigint; readonly safeBlocks: number },
  estimates: FeeEstimates,
  policy: Policy,
): ChildReason | undefined {
  if (settlement.safeBlocks < policy.child.safeBlocks) return 'few-safe-blocks';
  return isUnderpaid(settlement.settlementFeeSat, estimates, policy) ? 'fee-behind-estimate' : undefined;
}

/** Most that children of one settlement may cost altogether, satoshi. */
export function childBudgetSat(netSat: bigint, safeBlocks: number, policy: Policy): bigint {
  const { budgetPercent, lastBudgetPercent, lastBlocks } = policy.child;
  return (netSat * (safeBlocks <= lastBlocks ? lastBudgetPercent : budgetPercent)) / 100n;
}

/** A settlement that is not mined, as far as its child depends on it. */
export interface ChildSituation {
  /** What the settlement pays us, satoshi. */
  readonly netSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly safeBlocks: number;
  readonly tipHeight: number;
  /** What the mempool takes in now, satoshi per 1000 virtual bytes. */
  readonly mempoolMinimumSatPerKvb: bigint;
  /** Another transaction spends the funding output in the mempool. */
  readonly hasRival: boolean;
  /** The child that is on its way already. */
  readonly previous?: ChildOnItsWay;
  /** Value of a confirmed coin that may be added; undefined where there is none. */
  readonly coinSat?: bigint;
}

export interface ChildOnItsWay {
  readonly feeSat: bigint;
  readonly virtualBytes: bigint;
  readonly madeAtHeight: number;
}

export type ChildPlan =
  /** No child is needed, or the one on its way still does. */
  | { readonly kind: 'none' }
  /** One is needed, and its budget does not even pay for its own relay. */
  | { readonly kind: 'unaffordable'; readonly reason: ChildReason; readonly budgetSat: bigint }
  | { readonly kind: 'child'; readonly reason: ChildReason; readonly feeSat: bigint; readonly withCoin: boolean };

/**
 * What is to be done about the child of a settlement now. A child is replaced at most once per block, and only by one that
 * pays so much more that nodes take it.
 */
export function planChild(situation: ChildSituation, estimates: FeeEstimates, policy: Policy): ChildPlan {
  const reason = reasonNow(situation, estimates, policy);
  const { previous, tipHeight } = situation;
  if (reason === undefined || (previous !== undefined && tipHeight <= previous.madeAtHeight)) return { kind: 'none' };
  // Where all is at stake at once, everything that may be spent is.
  const safeBlocks = reason === 'rival-in-mempool' ? 0 : situation.safeBlocks;
  const budgetSat = childBudgetSat(situation.netSat, safeBlocks, policy);
  const rate = reason === 'rival-in-mempool' ? undefined : childRate(situation, estimates, policy);
  const { virtualBytes, coinVirtualBytes, dustSat } = policy.child;

  const alone = feeFor(virtualBytes, rate, situation, budgetSat, policy);
  if (alone === undefined) return { kind: 'unaffordable', reason, budgetSat };
  const spareSat = situation.netSat - dustSat;
  const withCoin = alone > spareSat && situation.coinSat !== undefined;
  const larger = withCoin ? feeFor(virtualBytes + coinVirtualBytes, rate, situation, budgetSat, policy) : undefined;
  // Without a coin our own output has to stay above dust.
  const feeSat = larger ?? (alone > spareSat ? spareSat : alone);
  const size = larger === undefined ? virtualBytes : virtualBytes + coinVirtualBytes;
  if (feeSat * 1000n < size * MIN_RELAY_SAT_PER_KVB) return { kind: 'unaffordable', reason, budgetSat };
  if (previous !== undefined && !replaces(feeSat, size, previous, policy)) return { kind: 'none' };
  return { kind: 'child', reason, feeSat, withCoin: larger !== undefined };
}

const MIN_RELAY_SAT_PER_KVB = 1000n;

function reasonNow(situation: ChildSituation, estimates: FeeEstimates, policy: Policy): ChildReason | undefined {
  if (situation.hasRival) return 'rival-in-mempool';
  const isBelow =
    policy.settlementFee.settlementVbytes * situation.mempoolMinimumSatPerKvb > situation.settlementFeeSat * 1000n;
  return isBelow ? 'below-node-minimum' : childReason(situation, estimates, policy);
}

/** The rate that parent and child pay together, satoshi per 1000 virtual bytes. */
function childRate(situation: ChildSituation, estimates: FeeEstimates, policy: Policy): bigint {
  const { settlementFee, child } = policy;
  const late = isLate(situation, policy);
  const six = estimates.sixBlockSatPerKvb ?? settlementFee.noEstimateSatPerKvb;
  const wanted = late ? (estimates.threeBlockSatPerKvb ?? six) : six;
  const rates = [wanted, situation.mempoolMinimumSatPerKvb];
  const { previous } = situation;
  if (late && previous !== undefined) {
    const paidSat = situation.settlementFeeSat + previous.feeSat;
    const size = settlementFee.settlementVbytes + previous.virtualBytes;
    rates.push((paidSat * 1000n * child.risePercent) / (size * 100n));
  }
  return rates.reduce((highest, rate) => (rate > highest ? rate : highest));
}

/** Undefined where the budget does not pay for the child's own relay. No rate: all of the budget. */
function feeFor(
  size: bigint,
  rate: bigint | undefined,
  situation: ChildSituation,
  budgetSat: bigint,
  policy: Policy,
): bigint | undefined {
  const leastSat = (size * MIN_RELAY_SAT_PER_KVB + 999n) / 1000n;
  if (leastSat > budgetSat) return undefined;
  if (rate === undefined) return budgetSat;
  const wantedSat = ((policy.settlementFee.settlementVbytes + size) * rate + 999n) / 1000n - situation.settlementFeeSat;
  const floorSat = isLate(situation, policy) ? atLeastReplacing(leastSat, size, situation.previous, policy) : leastSat;
  const feeSat = wantedSat < floorSat ? floorSat : wantedSat;
  return feeSat > budgetSat ? budgetSat : feeSat;
}

/** A quarter more of little is less than what nodes want for a replacement. */
function atLeastReplacing(leastSat: bigint, size: bigint, previous: ChildOnItsWay | undefined, policy: Policy): bigint {
  if (previous === undefined) return leastSat;
  const nextSat = previous.feeSat + replacementSat(size, policy);
  return nextSat > leastSat ? nextSat : leastSat;
}

const isLate = ({ safeBlocks }: ChildSituation, { child }: Policy): boolean => safeBlocks < child.safeBlocks;

const replacementSat = (size: bigint, { child }: Policy): bigint => (size * child.replacementSatPerKvb + 999n) / 1000n;

function replaces(feeSat: bigint, size: bigint, previous: ChildOnItsWay, policy: Policy): boolean {
  const isDenser = feeSat * previous.virtualBytes > previous.feeSat * size;
  return isDenser && feeSat >= previous.feeSat + replacementSat(size, policy);
}
