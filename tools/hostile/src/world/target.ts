import type { ReferenceWallet, Torrent } from '@seedfleet/interop';
import type { Network } from '@seedfleet/payment-channel';

/** The seller under attack, and what the attackers have to spend. */
export interface Target {
  /** HOST:PORT of the node. */
  readonly address: string;
  /** Another node of the fleet, where there is one. */
  readonly otherAddress: string | undefined;
  readonly network: Network;
  readonly torrent: Torrent;
  /** Undefined where nothing may be spent: buyers that need a funded channel are left out. */
  readonly money: Money | undefined;
  /** Where the node's `/metrics` is, or undefined: memory and processor time are not told then. */
  readonly metricsUrl: string | undefined;
  /** Whether limits per address and subnet hold for the attackers' addresses. */
  readonly limitsHold: boolean;
}

export interface Money {
  readonly wallet: ReferenceWallet;
  readonly rpcUrl: string;
}
