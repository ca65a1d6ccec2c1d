import type { Policy } from '@seedfleet/policy';
import type { Origin } from './origin.js';
import { Tally } from './tally.js';

export type ConnectionLimit =
  /** The node has as many connections as it takes. */
  | 'node-connections'
  /** This subnet has. */
  | 'subnet-connections'
  /** This address has. */
  | 'address-connections';

/** A client keeps one connection per torrent; an address with more torrents than this from one node is no buyer. */
const MAX_PER_ADDRESS = 32;
/** Several customers behind one provider's address range. */
const MAX_PER_SUBNET = 128;

/** Connections per address, subnet and node, handshakes included. */
export class ConnectionLimits {
  private readonly open = new Tally();

  constructor(
    private readonly policy: Policy,
    private readonly maxPerNode: number,
  ) {}

  get count(): number {
    return this.open.node;
  }

  /** Why one more connection is refused, or undefined where it is not. */
  limitFor(origin: Origin): ConnectionLimit | undefined {
    if (this.open.node >= this.maxPerNode) return 'node-connections';
    if (origin.isLocal && !this.policy.limitLocalAddresses) return undefined;
    if (this.open.subnet(origin) >= MAX_PER_SUBNET) return 'subnet-connections';
    return this.open.address(origin) >= MAX_PER_ADDRESS ? 'address-connections' : undefined;
  }

  enter(origin: Origin): void {
    this.open.add(origin, 1);
  }

  leave(origin: Origin): void {
    this.open.add(origin, -1);
  }
}
