/** How many nodes sell a torrent. */
export interface ReplicaPolicy {
  /** Two, so that one may fail. */
  readonly min: number;
  readonly max: number;
  /** Sales per day that one node more is for. */
  readonly salesPerDayPerReplica: number;
  /** Demand must fall below this part of what the last replica needs before it is given up, in per cent. */
  readonly keepPercent: number;
}

export const DEFAULT_REPLICAS: ReplicaPolicy = {
  min: 2,
  max: 8,
  // A default buyer downloads for an hour or so; ten at a time share a gigabit at the speed of a good home line.
  salesPerDayPerReplica: 200,
  keepPercent: 70,
};

/**
 * Replicas for a torrent that was bought `salesPerDay` times a day lately and has `current` replicas wanted so far (0:
 * none yet). An operator's own number is not for this function: it counts as it is. Between growing and shrinking lies
 * a gap, so that demand at a step moves no content to and fro.
 */
export function wantedReplicas(salesPerDay: number, current: number, policy: ReplicaPolicy = DEFAULT_REPLICAS): number {
  const clamp = (replicas: number): number => Math.min(policy.max, Math.max(policy.min, replicas));
  const needed = clamp(Math.ceil(salesPerDay / policy.salesPerDayPerReplica));
  if (needed >= current) return needed;
  const kept = clamp(Math.ceil((salesPerDay * 100) / policy.keepPercent / policy.salesPerDayPerReplica));
  return Math.min(clamp(current), kept);
}
