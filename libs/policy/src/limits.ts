import type { Policy } from './policy.js';

/** Limits per origin of a peer. On regtest, peers on this machine are not limited by address or subnet unless configured. */

export type JoinLimit =
  /** Too many joins of this address wait for their funding. */
  | 'address-joins'
  /** Too many joins of this subnet wait for their funding. */
  | 'subnet-joins'
  /** Too many joins of this node wait for their funding. */
  | 'node-joins';

export interface JoinsWaiting {
  readonly address: number;
  readonly subnet: number;
  readonly node: number;
  readonly isLocal: boolean;
}

/** Why one more join is refused, or undefined where it is not. */
export function joinLimit(waiting: JoinsWaiting, policy: Policy): JoinLimit | undefined {
  const { maxWaitingPerAddress, maxWaitingPerSubnet, maxWaitingPerNode } = policy.joins;
  if (waiting.node >= maxWaitingPerNode) return 'node-joins';
  if (waiting.isLocal && !policy.limitLocalAddresses) return undefined;
  if (waiting.subnet >= maxWaitingPerSubnet) return 'subnet-joins';
  return waiting.address >= maxWaitingPerAddress ? 'address-joins' : undefined;
}

/**
 * Whether a channel that has just been funded is one too many of its subnet and torrent below kMin: without this,
 * several channels each stopped short of kMin make a torrent nearly free. Outputs of one funding transaction count once.
 */
export function isOneTooManyBelowMin(
  others: { readonly belowMinOfSubnetAndTorrent: number; readonly isLocal: boolean },
  policy: Policy,
): boolean {
  if (others.isLocal && !policy.limitLocalAddresses) return false;
  return others.belowMinOfSubnetAndTorrent >= policy.joins.maxBelowMinPerSubnetTorrent;
}

export type UnpaidLimit =
  /** Unpaid bytes of this address. */
  | 'address-unpaid'
  /** Unpaid bytes of this subnet. */
  | 'subnet-unpaid'
  /** Unpaid bytes of this node. */
  | 'node-unpaid';

export interface UnpaidBytes {
  readonly addressBytes: number;
  readonly subnetBytes: number;
  readonly nodeBytes: number;
  readonly isLocal: boolean;
}

/** Why one more piece of this size must wait, or undefined where it need not. */
export function unpaidLimit(unpaid: UnpaidBytes, nextPieceBytes: number, policy: Policy): UnpaidLimit | undefined {
  const { maxBytesPerAddress, maxBytesPerSubnet, maxBytesPerNode } = policy.unpaidInFlight;
  if (unpaid.nodeBytes + nextPieceBytes > maxBytesPerNode) return 'node-unpaid';
  if (unpaid.isLocal && !policy.limitLocalAddresses) return undefined;
  if (unpaid.subnetBytes + nextPieceBytes > maxBytesPerSubnet) return 'subnet-unpaid';
  return unpaid.addressBytes + nextPieceBytes > maxBytesPerAddress ? 'address-unpaid' : undefined;
}
