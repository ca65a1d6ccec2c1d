import { orderSchedule } from '@seedfleet/bus';
import type { Policy } from '@seedfleet/policy';
import type { z } from 'zod';

export type OrderSchedule = z.output<typeof orderSchedule>;

/**
 * When who may send a channel's settlement, by quarters of its margin: a quarter for the settler, acknowledged or not; a
 * quarter in which nothing unacknowledged is sent; then the tower, then the fleet's chain-watcher, then the tower again.
 * @param deadlineMtp where the margin begins, seconds of median time past
 * @param maturityMtp where the buyer's refund may be mined
 */
export function scheduleOf(deadlineMtp: number, maturityMtp: number, policy: Policy): OrderSchedule {
  const { valuableSeconds, underpaidExtraSeconds } = policy.settlementMargin;
  const margin = Math.max(0, Math.min(maturityMtp - deadlineMtp, valuableSeconds + underpaidExtraSeconds));
  const at = (eighths: number): number => Math.max(0, maturityMtp - Math.ceil((margin * (8 - eighths)) / 8));
  return {
    quietFromMtp: at(2),
    towerFromMtp: at(4),
    fleetFromMtp: at(6),
    towerAgainFromMtp: at(7),
    openFromMtp: at(8),
  };
}
