import type { Policy } from '@seedfleet/policy';
import type { Origin } from './origin.js';
import { Tally } from './tally.js';

export type ConnectionLimit =
  /** The node has as many connections as it takes. */
  | 'node-connections'
  /** This subnet has. */
  | 'subnet-connections'
  /** This address has. */
  | 'address-connections'
  /** Too many connections of this subnet have not finished their handshake. */
  | 'subnet-handshakes'
  /** Too many of this address. */
  | 'address-handshakes';

/** Connections per address, subnet and node, and those of them that are still in their handshake. */
export class ConnectionLimits {
  private readonly open = new Tally();
  private readonly handshaking = new Tally();

  constructor(
    private readonly policy: Policy,
    private readonly maxPerNode: number,
  ) {}

  get count(): number {
    return this.open.node;
  }

  /** Why one more connection is refused, or undefined where it is not. */
  limitFor(origin: Origin): ConnectionLimit | undefined {
    const { connections: limits } = this.policy;
    if (this.open.node >= this.maxPerNode) return 'node-connections';
    if (origin.isLocal && !this.policy.limitLocalAddresses) return undefined;
    if (this.open.subnet(origin) >= limits.maxPerSubnet) return 'subnet-connections';
    if (this.open.address(origin) >= limits.maxPerAddress) return 'address-connections';
    if (this.handshaking.subnet(origin) >= limits.maxHandshakesPerSubnet) return 'subnet-handshakes';
    return this.handshaking.address(origin) >= limits.maxHandshakesPerAddress ? 'address-handshakes' : undefined;
  }

  /** A connection begins with its handshake. */
  enter(origin: Origin): void {
    this.open.add(origin, 1);
    this.handshaking.add(origin, 1);
  }

  /** Its handshake is over, well or not. */
  handshaken(origin: Origin): void {
    this.handshaking.add(origin, -1);
  }

  leave(origin: Origin): void {
    this.open.add(origin, -1);
  }
}
