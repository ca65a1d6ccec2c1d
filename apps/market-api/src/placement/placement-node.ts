import { createHash } from 'node:crypto';
import type { PlacementNode } from '@seedfleet/placement';
import { nodeStanding } from '../nodes/liveness.js';

/** A node's row, as far as placement goes by it. */
export interface PlacementNodeRow {
  readonly id: string;
  readonly peerAddress: string;
  readonly zone: string;
  readonly weight: number;
  readonly capacityBytes: bigint | null;
  readonly maxTorrents: number | null;
  readonly lastSeenAt: Date;
  readonly draining: boolean;
  readonly cordoned: boolean;
}

/** What one sees of nodes just after start, or with the broker away, says nothing of them: silence is not believed then. */
export interface View {
  readonly nowMs: number;
  readonly believesSilence: boolean;
  /** On regtest many nodes share this machine: there the port tells addresses apart. */
  readonly regtest: boolean;
}

export function placementNode(row: PlacementNodeRow, view: View): PlacementNode {
  const { id, zone, weight, peerAddress, capacityBytes, maxTorrents } = row;
  return {
    id,
    zone,
    weight,
    address: publicHost(peerAddress, view.regtest),
    capacityBytes: capacityBytes === null ? Number.MAX_SAFE_INTEGER : Number(capacityBytes),
    maxTorrents: maxTorrents ?? Number.MAX_SAFE_INTEGER,
    standing: standingOf(row, view),
  };
}

function standingOf({ lastSeenAt, draining, cordoned }: PlacementNodeRow, view: View): PlacementNode['standing'] {
  const standing = nodeStanding(lastSeenAt, draining, view.nowMs);
  if (standing === 'silent' && view.believesSilence) return 'gone';
  return cordoned || draining ? 'closing' : 'open';
}

/** HOST of HOST:PORT; of this machine's own addresses on regtest, both. */
export function publicHost(peerAddress: string, regtest: boolean): string {
  const host = peerAddress.slice(0, peerAddress.lastIndexOf(':'));
  return regtest && (host.startsWith('127.') || host === '[::1]') ? peerAddress : host;
}

/** Changes whenever a plan for these nodes could be another one. */
export function fleetSignature(nodes: readonly PlacementNode[]): string {
  const sorted = [...nodes].sort((one, other) => (one.id < other.id ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
