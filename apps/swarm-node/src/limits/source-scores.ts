import type { Policy } from '@seedfleet/policy';
import type { Origin } from './origin.js';
import { ScoreTable } from './score-table.js';

export type Cost = Exclude<keyof Policy['abuse']['points'], 'perUnpaidMib'>;

export type Standing =
  | 'good'
  /** It has cost much: its connections and joins are slowed down. */
  | 'throttled'
  /** It went on: its connections and joins are refused until its score has decayed to the throttle. */
  | 'banned';

export type SourceRefusal =
  /** Throttled, and its last connection is too recent. */
  | 'source-throttled'
  /** Banned for now. */
  | 'source-banned';

const MIB = 1024 * 1024;

/**
 * A score per source, address and subnet alike, by the cost that it caused and did not pay for. It decays, and payments
 * lower it. Memory is bounded by the tables: an IPv6 customer with 2⁸⁰ addresses shares one subnet's score.
 */
export class SourceScores {
  private readonly addresses: ScoreTable;
  private readonly subnets: ScoreTable;

  /**
   * @param nowMs monotonic clock.
   * @param onCost told of each cost, for a counter.
   */
  constructor(
    private readonly policy: Policy,
    private readonly nowMs: () => number,
    private readonly onCost: (cost: Cost | 'unpaidBytes') => void,
  ) {
    const { halfLifeMs, throttleAtPoints, banAtPoints, subnetFactor, maxSources } = policy.abuse;
    const table = (factor: number): ScoreTable =>
      new ScoreTable({
        halfLifeMs,
        throttleAt: throttleAtPoints * factor,
        banAt: banAtPoints * factor,
        maxEntries: maxSources,
      });
    this.addresses = table(1);
    this.subnets = table(subnetFactor);
  }

  /** Sources remembered. */
  get count(): number {
    return this.addresses.size + this.subnets.size;
  }

  charge(origin: Origin, cost: Cost): void {
    this.onCost(cost);
    this.add(origin, this.policy.abuse.points[cost]);
  }

  /** Bytes were delivered and will never be paid. */
  chargeUnpaid(origin: Origin, bytes: number): void {
    if (bytes <= 0) return;
    this.onCost('unpaidBytes');
    this.add(origin, (bytes / MIB) * this.policy.abuse.points.perUnpaidMib);
  }

  /** A payment is durable. */
  credit(origin: Origin): void {
    this.add(origin, -this.policy.abuse.pointsPerPayment);
  }

  standing(origin: Origin): Standing {
    if (origin.isLocal && !this.policy.limitLocalAddresses) return 'good';
    const now = this.nowMs();
    const both = [this.addresses.standing(origin.address, now), this.subnets.standing(origin.subnet, now)];
    if (both.includes('banned')) return 'banned';
    return both.includes('throttled') ? 'throttled' : 'good';
  }

  /** Why a connection is refused, or undefined where it may come in; that counts as one of it. */
  refusalOf(origin: Origin): SourceRefusal | undefined {
    const standing = this.standing(origin);
    if (standing === 'banned') return 'source-banned';
    if (standing === 'throttled' && !this.passes(origin)) return 'source-throttled';
    this.charge(origin, 'connection');
    return undefined;
  }

  /** One connection per pause for whoever is slow: an address, or all addresses of a subnet together. */
  private passes(origin: Origin): boolean {
    const now = this.nowMs();
    const { throttledPauseMs, subnetFactor } = this.policy.abuse;
    const slow = (table: ScoreTable, key: string): boolean => table.standing(key, now) === 'throttled';
    if (slow(this.subnets, origin.subnet))
      return this.subnets.pass(origin.subnet, now, throttledPauseMs / subnetFactor);
    return this.addresses.pass(origin.address, now, throttledPauseMs);
  }

  private add(origin: Origin, points: number): void {
    const now = this.nowMs();
    this.addresses.add(origin.address, points, now);
    this.subnets.add(origin.subnet, points, now);
  }
}
