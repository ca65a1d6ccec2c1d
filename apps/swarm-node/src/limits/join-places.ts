import { joinLimit, type JoinLimit, type Policy } from '@seedfleet/policy';
import type { Origin } from './origin.js';
import { Tally } from './tally.js';

/** Joins that wait for their funding: each is a frozen quote, so origins get only a few (hazard H34). */
export class JoinPlaces {
  private readonly waiting = new Tally();

  constructor(private readonly policy: Policy) {}

  get count(): number {
    return this.waiting.node;
  }

  /** Takes a place, or says why there is none. A taken place is given back by `leave`. */
  take(origin: Origin): JoinLimit | undefined {
    const limit = joinLimit(
      {
        address: this.waiting.address(origin),
        subnet: this.waiting.subnet(origin),
        node: this.waiting.node,
        isLocal: origin.isLocal,
      },
      this.policy,
    );
    if (limit === undefined) this.waiting.add(origin, 1);
    return limit;
  }

  leave(origin: Origin): void {
    this.waiting.add(origin, -1);
  }
}
