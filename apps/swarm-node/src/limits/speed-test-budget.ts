import type { Policy } from '@seedfleet/policy';
import type { Origin } from './origin.js';

const HOUR_MS = 3_600_000;
/** Most origins remembered; the oldest are forgotten first. */
const MAX_ORIGINS = 50_000;

export type SpeedTestVerdict =
  | 'answered'
  /** This address has had its tests of the hour. */
  | 'address-budget'
  /** This subnet has had its tests of the hour. */
  | 'subnet-budget'
  /** The node's bytes for tests are used up. */
  | 'node-budget';

/**
 * Bytes given away in speed tests (hazard H32): so many per address and subnet and hour, counted by origin because
 * reconnecting costs nothing, and a share of the node's bandwidth with a burst.
 */
export class SpeedTestBudget {
  /** Times of the last tests by address or subnet, oldest origin first. */
  private readonly times = new Map<string, number[]>();
  private tokens: number;
  private refilledAtMs: number;

  /**
   * @param bandwidthBytesPerSecond of the node.
   * @param nowMs monotonic clock.
   */
  constructor(
    private readonly policy: Policy,
    private readonly bandwidthBytesPerSecond: number,
    private readonly nowMs: () => number,
  ) {
    this.tokens = policy.speedTest.burstBytes;
    this.refilledAtMs = nowMs();
  }

  /** Judges one test and, if it may be answered, charges for it. */
  charge(origin: Origin, bytes: number): SpeedTestVerdict {
    const { maxPerAddressHour, maxPerSubnetHour } = this.policy.speedTest;
    const limited = !origin.isLocal || this.policy.limitLocalAddresses;
    if (limited && this.recent(origin.address).length >= maxPerAddressHour) return 'address-budget';
    if (limited && this.recent(origin.subnet).length >= maxPerSubnetHour) return 'subnet-budget';
    this.refill();
    if (bytes > this.tokens) return 'node-budget';
    this.tokens -= bytes;
    if (limited) for (const key of [origin.address, origin.subnet]) this.remember(key);
    return 'answered';
  }

  private refill(): void {
    const now = this.nowMs();
    const { bandwidthPercent, burstBytes } = this.policy.speedTest;
    const perMs = (this.bandwidthBytesPerSecond * bandwidthPercent) / 100 / 1000;
    this.tokens = Math.min(burstBytes, this.tokens + (now - this.refilledAtMs) * perMs);
    this.refilledAtMs = now;
  }

  private recent(key: string): number[] {
    return (this.times.get(key) ?? []).filter((time) => this.nowMs() - time < HOUR_MS);
  }

  private remember(key: string): void {
    const times = [...this.recent(key), this.nowMs()];
    this.times.delete(key);
    this.times.set(key, times);
    if (this.times.size <= MAX_ORIGINS) return;
    for (const oldest of this.times.keys()) {
      this.times.delete(oldest);
      break;
    }
  }
}
