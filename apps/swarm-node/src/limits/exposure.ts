import { unpaidLimit, type Policy, type UnpaidLimit } from '@seedfleet/policy';
import type { Origin } from './origin.js';
import { Tally } from './tally.js';

interface Waiter {
  readonly origin: Origin;
  readonly bytes: number;
  readonly granted: () => void;
}

/**
 * Bytes on their way or delivered and not yet durably paid, per address, subnet and node (hazards H25): what hostile
 * buyers can get for nothing together. A piece beyond a limit waits until payments or ends make room.
 */
export class Exposure {
  private readonly unpaid = new Tally();
  private readonly waiting = new Set<Waiter>();

  constructor(
    private readonly policy: Policy,
    private readonly onWait: (limit: UnpaidLimit) => void,
  ) {}

  /** Bytes reserved by all channels of this node. */
  get bytes(): number {
    return this.unpaid.node;
  }

  /** Reserves bytes now or later; `granted` is called once, unless the returned function is called before. */
  reserve(origin: Origin, bytes: number, granted: () => void): () => void {
    const limit = this.limitFor(origin, bytes);
    if (limit === undefined) {
      this.unpaid.add(origin, bytes);
      granted();
      return () => undefined;
    }
    this.onWait(limit);
    const waiter = { origin, bytes, granted };
    this.waiting.add(waiter);
    return () => this.waiting.delete(waiter);
  }

  /** Gives reserved bytes back and serves whoever waited, in turn. */
  release(origin: Origin, bytes: number): void {
    if (bytes === 0) return;
    this.unpaid.add(origin, -bytes);
    for (const waiter of this.waiting) {
      if (this.limitFor(waiter.origin, waiter.bytes) !== undefined) continue;
      this.waiting.delete(waiter);
      this.unpaid.add(waiter.origin, waiter.bytes);
      waiter.granted();
    }
  }

  private limitFor(origin: Origin, bytes: number): UnpaidLimit | undefined {
    const unpaid = {
      addressBytes: this.unpaid.address(origin),
      subnetBytes: this.unpaid.subnet(origin),
      nodeBytes: this.unpaid.node,
      isLocal: origin.isLocal,
    };
    return unpaidLimit(unpaid, bytes, this.policy);
  }
}
