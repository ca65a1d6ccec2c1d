import type { ConnectionStatus, HostReason } from '@seedfleet/exchange';
import type { Policy } from '@seedfleet/policy';

/** What a connection's clock says, ms of the monotonic clock. */
export interface Moments {
  /** `joining_contract` was sent. */
  readonly joinedAtMs: number;
  /** The last request arrived, or the channel began. */
  readonly requestedAtMs: number;
  /** The last payment arrived, or bytes of a piece last left, or the channel began. */
  readonly movedAtMs: number;
}

/** Slowest rate at which a piece may trickle out before its buyer counts as stalling. */
const SLOWEST_BYTES_PER_MS = 64;

/** Why the node should end a connection that waits for its buyer, or undefined while it may go on waiting. */
export function outOfPatience(
  status: ConnectionStatus,
  moments: Moments,
  pieceLengthBytes: number,
  nowMs: number,
  policy: Policy,
): HostReason | undefined {
  if (status.role === 'joined') {
    return nowMs - moments.joinedAtMs > policy.requote.joinedMaxAgeMs ? 'stale-quote' : undefined;
  }
  const { channel } = status;
  if (channel === undefined) return undefined;
  if (channel.delivered > channel.paid) {
    const patienceMs = policy.timeouts.unpaidMs + pieceLengthBytes / SLOWEST_BYTES_PER_MS;
    return nowMs - moments.movedAtMs > patienceMs ? 'unpaid-timeout' : undefined;
  }
  const idle = channel.requested === channel.delivered;
  return idle && nowMs - moments.requestedAtMs > policy.timeouts.noRequestMs ? 'idle-timeout' : undefined;
}
