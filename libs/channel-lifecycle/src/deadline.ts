import { refundMaturityMtp } from '@seedfleet/payment-channel';

/**
 * Deadlines run on median time past, the only clock that decides when a refund may be mined (BIP 113). The lock starts
 * with the block that holds the funding transaction, so an unconfirmed channel has none (payment channel §6, §9).
 */

export interface Lock {
  readonly lockUnits: number;
  /** Median time past of the block before the one that holds the funding transaction, seconds; absent: unconfirmed. */
  readonly fundingPreviousMtp?: number;
}

/** Median time past from which the buyer's refund may be mined, seconds; undefined while the funding is unconfirmed. */
export function maturityMtp(lock: Lock): number | undefined {
  return lock.fundingPreviousMtp === undefined ? undefined : refundMaturityMtp(lock.fundingPreviousMtp, lock.lockUnits);
}

/**
 * Median time past at which serving ends and settling starts: the maturity less the margin. Recomputed at every tip, as
 * a reorganisation can move the funding to another block. Undefined while the funding is unconfirmed.
 */
export function deadlineMtp(lock: Lock, marginSeconds: number): number | undefined {
  const maturity = maturityMtp(lock);
  return maturity === undefined ? undefined : maturity - marginSeconds;
}

/** Whether serving has to end now. */
export function isPastDeadline(lock: Lock, marginSeconds: number, tipMtp: number): boolean {
  const deadline = deadlineMtp(lock, marginSeconds);
  return deadline !== undefined && tipMtp >= deadline;
}

/** Whether a just confirmed channel still has time for a service of this length before its deadline. */
export function hasTimeToServe(lock: Lock, marginSeconds: number, tipMtp: number, serviceSeconds: number): boolean {
  const deadline = deadlineMtp(lock, marginSeconds);
  return deadline === undefined || tipMtp + serviceSeconds < deadline;
}

/** Blocks that can be expected before the refund matures, at one per 600 s; infinite while unconfirmed, never negative. */
export function safeBlocks(lock: Lock, tipMtp: number): number {
  const maturity = maturityMtp(lock);
  return maturity === undefined ? Infinity : Math.max(0, Math.floor((maturity - tipMtp) / 600));
}
