import type { Network } from '@seedfleet/payment-channel';
import type { Policy } from './policy.js';
import { zeroConfFor } from './policy.js';

/** What may be lost to a buyer whose funding is not confirmed, and how many confirmations remove the limit. */

/** What is known of a channel's funding transaction. */
export interface FundingFacts {
  readonly network: Network;
  readonly valueSat: bigint;
  /** 0 while in the mempool. */
  readonly confirmations: number;
  /** Since our node first saw the transaction. */
  readonly seenForMs: number;
  /** Since the last conflicting spend of the transaction's inputs was seen; absent: none was. */
  readonly sinceConflictMs?: number;
  readonly unconfirmedAncestors: number;
  /** Whether it says that it may be replaced (BIP 125). */
  readonly signalsReplacement: boolean;
  /** Of the transaction, with its fee and size. */
  readonly feeRateSatPerKvb: bigint;
  /** What the channel's own terms demanded of the transaction. */
  readonly minContractFeePerKbSat: bigint;
  /** Absent where the node has no estimate. */
  readonly threeBlockSatPerKvb?: bigint;
}

export interface SaleSize {
  readonly pieces: number;
  readonly pieceLengthBytes: number;
  readonly priceSat: bigint;
}

/** What other unconfirmed channels hold already, this one not counted. */
export interface ExposureInUse {
  readonly subnetDayBytes: number;
  /** Of this torrent, by this subnet. */
  readonly subnetTorrentPieces: number;
  readonly nodeBytes: number;
  readonly fleetBytes: number;
  /** Channels this subnet abandoned below kMin within the last day. */
  readonly subnetAbandonedDay: number;
  /** A buyer on this machine, on regtest: limits per subnet do not apply unless the policy says so. */
  readonly isLocal: boolean;
}

export type WaitReason =
  /** Below the confirmations that this value needs; the allowance is served meanwhile. */
  | 'unconfirmed'
  /** The transaction pays less than what is mined within three blocks. */
  | 'fee-rate-low'
  /** The transaction pays less than our terms demanded. */
  | 'fee-rate-below-terms'
  /** An ancestor is unconfirmed and can take the funding with it. */
  | 'unconfirmed-ancestors'
  /** The transaction may be replaced, as the policy counts that. */
  | 'replaceable'
  /** A conflicting spend was seen. */
  | 'conflict-seen'
  /** Not seen for long enough to rule out a double spend. */
  | 'too-young'
  /** This subnet's unconfirmed bytes of today are used up. */
  | 'subnet-exhausted'
  /** This subnet holds too large a part of this torrent unconfirmed. */
  | 'subnet-torrent-exhausted'
  /** This subnet abandoned too many channels below kMin today. */
  | 'subnet-abandons'
  /** This node's unconfirmed bytes are used up. */
  | 'node-exhausted'
  /** The fleet's unconfirmed bytes are used up. */
  | 'fleet-exhausted';

export type ServingVerdict =
  | { readonly serve: 'all' }
  /** Serve this much, then wait. Recomputed with every block and confirmation. */
  | { readonly serve: 'allowance'; readonly pieces: number; readonly bytes: number; readonly reason: 'unconfirmed' }
  /** Serve nothing yet. */
  | { readonly serve: 'nothing'; readonly reason: WaitReason };

/** Confirmations after which a channel of this value is served without limit. */
export function confirmationsNeeded(valueSat: bigint, policy: Policy): number {
  const tier = policy.confirmations.tiers.find(({ upToSat }) => valueSat <= upToSat);
  return tier?.confirmations ?? policy.confirmations.above;
}

/** How much of a validly funded channel may be served now. Whether the funding is valid is not asked here. */
export function servingVerdict(
  funding: FundingFacts,
  sale: SaleSize,
  inUse: ExposureInUse,
  policy: Policy,
): ServingVerdict {
  if (funding.confirmations >= confirmationsNeeded(funding.valueSat, policy)) return { serve: 'all' };
  // A first confirmation settles eligibility: what remains is the risk of a reorganisation, which the allowance bounds.
  const ineligible = funding.confirmations > 0 ? undefined : zeroConfObstacle(funding, inUse, policy);
  if (ineligible) return { serve: 'nothing', reason: ineligible };
  const allowed = allowancePieces(funding.network, sale, policy);
  const left = piecesLeft(sale, inUse, policy);
  if (left.pieces < 1) return { serve: 'nothing', reason: left.reason };
  const pieces = Math.min(allowed, left.pieces);
  return { serve: 'allowance', pieces, bytes: pieces * sale.pieceLengthBytes, reason: 'unconfirmed' };
}

/** Pieces that one channel may get before its funding is confirmed: never less than one, or no sale could start. */
export function allowancePieces(network: Network, sale: SaleSize, policy: Policy): number {
  const limits = zeroConfFor(policy, network);
  const byBytes = Math.floor(limits.maxBytesPerChannel / sale.pieceLengthBytes);
  const byShare = Math.floor((sale.pieces * limits.maxPiecesPerMille) / 1000);
  return Math.max(1, Math.min(byBytes, byShare, piecesByValue(limits.maxValueSat, sale.priceSat)));
}

function piecesByValue(maxValueSat: bigint | null, priceSat: bigint): number {
  return maxValueSat === null || priceSat <= 0n ? Infinity : Number(maxValueSat / priceSat);
}

function zeroConfObstacle(funding: FundingFacts, inUse: ExposureInUse, policy: Policy): WaitReason | undefined {
  const { zeroConf, joins, terms } = policy;
  if (isInConflict(funding, policy)) return 'conflict-seen';
  if (funding.unconfirmedAncestors > zeroConf.maxUnconfirmedAncestors) return 'unconfirmed-ancestors';
  const { replaceable } = zeroConfFor(policy, funding.network);
  if (replaceable === 'always' || (replaceable === 'as-signalled' && funding.signalsReplacement)) return 'replaceable';
  const leastRate = (funding.minContractFeePerKbSat * (1000n - terms.contractFeeTolerancePerMille)) / 1000n;
  if (funding.feeRateSatPerKvb < leastRate) return 'fee-rate-below-terms';
  if (funding.feeRateSatPerKvb < (funding.threeBlockSatPerKvb ?? 0n)) return 'fee-rate-low';
  if (funding.seenForMs < zeroConfFor(policy, funding.network).minAgeMs) return 'too-young';
  const limited = !inUse.isLocal || policy.limitLocalAddresses;
  return limited && inUse.subnetAbandonedDay >= joins.maxAbandonedPerSubnetDay ? 'subnet-abandons' : undefined;
}

function isInConflict({ sinceConflictMs }: FundingFacts, { zeroConf }: Policy): boolean {
  if (sinceConflictMs === undefined) return false;
  return zeroConf.afterConflict === 'confirmation' || sinceConflictMs < zeroConf.conflictQuietMs;
}

/** What the caps shared with other channels leave, and the tightest of them. */
function piecesLeft(
  sale: SaleSize,
  inUse: ExposureInUse,
  policy: Policy,
): { readonly pieces: number; readonly reason: WaitReason } {
  const { zeroConf } = policy;
  const fitting = (maxBytes: number, usedBytes: number): number =>
    Math.max(0, Math.floor((maxBytes - usedBytes) / sale.pieceLengthBytes));
  const shared: { readonly pieces: number; readonly reason: WaitReason }[] = [
    { pieces: fitting(zeroConf.maxBytesPerFleet, inUse.fleetBytes), reason: 'fleet-exhausted' },
    { pieces: fitting(zeroConf.maxBytesPerNode, inUse.nodeBytes), reason: 'node-exhausted' },
  ];
  if (!inUse.isLocal || policy.limitLocalAddresses) {
    const share = Math.max(1, Math.floor((sale.pieces * zeroConf.maxPiecesPerSubnetPerMille) / 1000));
    shared.push({ pieces: share - inUse.subnetTorrentPieces, reason: 'subnet-torrent-exhausted' });
    // A piece larger than a whole day's bytes may still be sold once, like the first piece of any channel.
    const perDay = Math.max(zeroConf.maxBytesPerSubnetDay, sale.pieceLengthBytes);
    shared.push({ pieces: fitting(perDay, inUse.subnetDayBytes), reason: 'subnet-exhausted' });
  }
  return shared.reduce((tightest, cap) => (cap.pieces < tightest.pieces ? cap : tightest));
}
