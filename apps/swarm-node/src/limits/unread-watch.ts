import type { Policy } from '@seedfleet/policy';

/** Slowest rate at which what waits for a peer may trickle out, bytes per ms, beyond the policy's patience. */
const SLOWEST_BYTES_PER_MS = 64;

/**
 * Finds the peer that asks and never reads: what waits for it is bounded by its kinds (pieces by the window, one speed
 * test, control frames by the outbox), but would be held for as long as it stays connected.
 */
export class UnreadWatch {
  private lastBytes = 0;
  private sinceMs = 0;

  constructor(private readonly policy: Policy) {}

  /** To be told regularly how much waits; true once nothing of it has left for too long. */
  isStuck(queuedBytes: number, nowMs: number): boolean {
    if (queuedBytes === 0 || queuedBytes < this.lastBytes || this.lastBytes === 0) this.sinceMs = nowMs;
    this.lastBytes = queuedBytes;
    const patienceMs = this.policy.connections.unreadMs + queuedBytes / SLOWEST_BYTES_PER_MS;
    return queuedBytes > 0 && nowMs - this.sinceMs > patienceMs;
  }
}
