import type { FeeEstimates } from './fees.js';
import { isUnderpaid } from './fees.js';
import type { Policy } from './policy.js';

/** Whether a settlement gets a child that pays for it, and how much that may cost. */

export type ChildReason =
  /** Few blocks are left before the refund matures. */
  | 'few-safe-blocks'
  /** The frozen fee has fallen behind the estimate. */
  | 'fee-behind-estimate';

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
