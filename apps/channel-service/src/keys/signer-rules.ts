import type { Policy } from '@seedfleet/policy';
import type { SignerRules } from './signer.js';

/** What the policy lets a signer sign. @param destination the operator's own wallet */
export function rulesOf(policy: Policy, destination: SignerRules['destination']): SignerRules {
  return {
    childFeePercent: policy.child.lastBudgetPercent,
    treasuryFeePercent: policy.treasury.maxFeePercent,
    destination,
  };
}
