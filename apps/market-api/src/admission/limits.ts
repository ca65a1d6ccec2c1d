import { DEFAULT_POLICY } from '@seedfleet/policy';
import type { AdmissionLimits } from './admission.js';

/** What is taken on at once, of so many requests in work and so many that wait. */
export function admissionLimits(atOnce: number, waiting: number): AdmissionLimits {
  const { othersPerMille, maxWaitMs } = DEFAULT_POLICY.admission;
  return { atOnce, atOnceOfOthers: Math.max(1, Math.floor((atOnce * othersPerMille) / 1_000)), waiting, maxWaitMs };
}
