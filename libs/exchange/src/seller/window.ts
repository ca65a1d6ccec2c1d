import type { WindowPolicy } from '../config.js';

/** Pieces that may be delivered beyond the durable payments, after so many of those. */
export function windowPieces(policy: WindowPolicy, durablePayments: number): number {
  const grown = policy.startPieces + Math.floor(durablePayments / policy.paymentsPerStep);
  return Math.min(policy.maxPieces, grown);
}
