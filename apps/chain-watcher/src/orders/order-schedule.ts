import type { orderSchedule } from '@seedfleet/bus';
import type { z } from 'zod';

export type OrderSchedule = z.output<typeof orderSchedule>;

/** Who holds an order: the fleet's chain-watcher beside a tower, the tower, or a fleet without a tower. */
export type OrderHolder = 'fleet' | 'tower' | 'alone';

/**
 * Whether this holder may send an order at a median time past. Tower and fleet have times of their own, so that two who
 * can't speak to each other never send different transactions within the seconds that a transaction takes to be seen.
 */
export function maySend(schedule: OrderSchedule, holder: OrderHolder, medianTimePast: number): boolean {
  const { towerFromMtp, fleetFromMtp, towerAgainFromMtp, openFromMtp } = schedule;
  if (medianTimePast >= openFromMtp) return true;
  switch (holder) {
    case 'alone':
      return medianTimePast >= towerFromMtp;
    case 'tower':
      return (medianTimePast >= towerFromMtp && medianTimePast < fleetFromMtp) || medianTimePast >= towerAgainFromMtp;
    case 'fleet':
      return medianTimePast >= fleetFromMtp && medianTimePast < towerAgainFromMtp;
  }
}
