import type { BookedFigure, ExplainedFigure } from '@seedfleet/books';

/** Answers of the market API, as far as this page shows them. Satoshi are decimal strings. */

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** What the books hold; satoshi. All figures but the counts add up to `revenueSat`. */
export interface Earnings extends Readonly<Record<BookedFigure, string>> {
  readonly channels: number;
  readonly pieces: number;
}

export interface Explanation extends Page<ExplainedChannel> {
  readonly figure: ExplainedFigure;
  readonly totalSat: string;
  /** What sweeps and splits, which belong to no channel, add to a figure of the fleet. */
  readonly treasurySat: string;
}

export interface ExplainedChannel {
  readonly channelId: string;
  readonly infoHash: string;
  readonly nodeId: string;
  readonly state: string;
  readonly amountSat: string;
  readonly fundingTxid: string | null;
  readonly settlementTxid: string | null;
  readonly createdAt: string;
}

export interface EarningsAt extends Earnings {
  readonly start: string;
}

export interface Series {
  readonly period: 'hour' | 'day';
  readonly items: readonly EarningsAt[];
  readonly total: Earnings;
}

export interface TotalEarnings extends Earnings {
  readonly profit: { readonly profitSat: string };
}

/** What a label, a node or a buyer brought; `profit` where the books say how large pieces were. */
export interface KeyedEarnings extends Earnings {
  readonly label?: string;
  readonly nodeId?: string;
  readonly buyer?: string;
  readonly profit?: { readonly profitSat: string } | null;
}

export interface Earner extends Earnings {
  readonly infoHash: string;
  readonly name: string | null;
  readonly revenueByDay: readonly string[];
  readonly profit: { readonly profitSat: string };
}

export interface Advice {
  readonly days: number;
  readonly current: { readonly priceSat: string };
  readonly suggested: { readonly priceSat: string; readonly satPerMib: string };
  readonly reasons: readonly string[];
  readonly bids: number;
  readonly acceptedBids: number;
  readonly acceptedNow: number;
  readonly expectedNetSat: string;
  readonly expectedNetNowSat: string;
}

export interface DemandCounts {
  readonly counters: Readonly<
    Record<'buyers' | 'buyersBelowPrice' | 'lostAfterSpeedTest' | 'joined' | 'won' | 'lostAfterJoin', number>
  >;
}

export interface Alert {
  readonly code: string;
  readonly severity: 'critical' | 'warning';
  readonly title: string;
  readonly subject: string | null;
  readonly count: number;
  readonly since: string | null;
  readonly detail: string;
}

export interface Alerts {
  readonly items: readonly Alert[];
}

export interface EffectiveOffer {
  readonly version: number;
  readonly priceSat: string;
  readonly satPerMib: string;
  readonly lockUnits: number | null;
  readonly settlementFeeSat: string | null;
}

export interface Torrent {
  readonly infoHash: string;
  readonly name: string;
  readonly totalBytes: number;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly contentPath: string;
  readonly state: 'active' | 'paused' | 'removed';
  readonly labels: readonly string[];
  readonly tier: string;
  readonly version: number;
  readonly sale: {
    readonly state: string;
    readonly detail: string;
    readonly progress: number;
    readonly nodesOnSale: number;
    readonly refusedNow: string | null;
  };
  readonly offer: EffectiveOffer;
  readonly totalSat: string;
  readonly createdAt: string;
}

export interface TorrentDetail extends Torrent {
  readonly nodes: readonly {
    readonly nodeId: string;
    readonly peerAddress: string;
    readonly nodeAlive: boolean;
    readonly state: string;
    readonly progress: number;
    readonly detail: string;
  }[];
}

export interface PriceRule {
  readonly mode: 'piece' | 'mib' | 'formula';
  readonly rate: string;
}

/** Terms as they were set; null for the default. Those that this page does not edit are sent back as they are. */
export interface OfferVersion {
  readonly version: number;
  readonly priceSat: string | null;
  readonly price: (PriceRule & { readonly tier: string | null; readonly multiplier: string }) | null;
  readonly lockUnits: number | null;
  readonly settlementFeeSat: string | null;
  readonly minContractFeePerKbSat: string | null;
  readonly maxSellers: number | null;
  readonly freeTier: { readonly bytesPerDay: number; readonly bytesPerPeerDay: number } | null;
  readonly createdBy: string;
  readonly createdAt: string;
}

export interface Offer {
  readonly infoHash: string;
  readonly set: OfferVersion | null;
  readonly effective: EffectiveOffer;
  readonly economics: {
    readonly totalSat: string;
    readonly satPerGib: string;
    readonly settlementFeeSat: string;
    readonly sweepCostSat: string;
    readonly kMin: number;
    readonly earnsNothingPerMille: number;
    readonly netSat: string;
    readonly breakEvenFeeRateSatPerKvb: string | null;
    readonly smallestSensiblePieces: number | null;
    readonly defaultPriceSat: string;
    readonly acceptedByDefaultBuyers: boolean;
    readonly objections: readonly string[];
    readonly declined: string | null;
    readonly refusedNow: string | null;
  };
}

export interface Channel {
  readonly id: string;
  readonly nodeId: string;
  readonly infoHash: string;
  readonly torrentName: string | null;
  readonly state: string;
  readonly stateReason: string;
  readonly stateEnteredAt: string;
  readonly nextActionAt: string | null;
  readonly deadlineAt: string | null;
  readonly priceSat: string;
  readonly settlementFeeSat: string;
  readonly pieceCount: number;
  readonly peerAddress: string;
  readonly peerClient: string;
  readonly fundingTxid: string | null;
  readonly fundingVout: number | null;
  readonly fundingValueSat: string | null;
  readonly fundingConfirmations: number;
  readonly k: number;
  /** The last payment; above k where an earlier one was settled. */
  readonly lastK: number;
  readonly kMin: number | null;
  readonly kCap: number | null;
  readonly paidSat: string;
  readonly netSat: string;
  readonly settlementTxid: string | null;
  readonly settlementHeight: number | null;
  readonly settlementConfirmations: number;
  readonly lockUnits: number;
  readonly closeReason: string | null;
  readonly createdAt: string;
}

export interface ChannelDetail extends Channel {
  readonly story: readonly {
    readonly version: number;
    readonly state: string;
    readonly reason: string;
    readonly data: unknown;
    readonly at: string;
  }[];
}

export interface FleetNode {
  readonly id: string;
  readonly peerAddress: string;
  readonly state: 'up' | 'draining' | 'silent';
  readonly version: string;
  readonly registeredAt: string;
  readonly lastSeenAt: string;
  readonly torrents: Readonly<Record<string, number>>;
  readonly stats: {
    readonly connections: number;
    readonly activeChannels: number;
    readonly joinedChannels: number;
    readonly piecesSold: number;
    readonly bytesSold: number;
    readonly exposureBytes: number;
  };
}

export interface Fleet {
  readonly network: string;
  readonly fleetId: string;
  readonly now: string;
  readonly nodes: { readonly up: number; readonly draining: number; readonly silent: number };
  readonly work: {
    readonly connections: number;
    readonly activeChannels: number;
    readonly joinedChannels: number;
    readonly piecesSold: number;
    readonly bytesSold: number;
    readonly exposureBytes: number;
  };
  readonly torrents: { readonly active: number; readonly paused: number; readonly removed: number };
  readonly channels: Readonly<Record<string, number>>;
  readonly chain: { readonly height: number; readonly medianTime: string } | null;
  readonly activity: readonly {
    readonly id: string;
    readonly channelId: string;
    readonly infoHash: string;
    readonly torrentName: string | null;
    readonly nodeId: string;
    readonly state: string;
    readonly reason: string;
    readonly at: string;
  }[];
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly state: 'active' | 'revoked' | 'expired';
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly kinds: readonly string[];
  readonly description: string;
  readonly state: 'active' | 'paused';
  readonly pending: number;
  readonly givenUp: number;
}

export interface Delivery {
  readonly id: string;
  readonly kind: string;
  readonly state: 'pending' | 'delivered' | 'given-up';
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly lastAttemptAt: string | null;
  readonly lastStatus: number | null;
  readonly lastProblem: string | null;
  readonly createdAt: string;
}

export interface Content {
  readonly path: string | null;
  readonly parent: string | null;
  readonly entries: readonly ContentEntry[];
  readonly nextAfter: string | null;
}

export interface ContentEntry {
  readonly name: string;
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number | null;
}

export interface Making {
  readonly id: string;
  readonly path: string;
  readonly state: 'waiting' | 'hashing' | 'adding' | 'done' | 'failed' | 'cancelled';
  readonly totalBytes: number;
  readonly hashedBytes: number;
  readonly infoHash: string | null;
  readonly problem: string | null;
  readonly detail: string;
  readonly createdAt: string;
}

export interface Treasury {
  /** The operator's own address, or the name of their account; null: nothing is swept. */
  readonly destination: string | null;
  /** Where the next sweep goes. */
  readonly nextAddress: string | null;
  readonly hotSat: string;
  readonly spareSat: string;
  readonly spareCoins: number;
  readonly keptCoins: number;
  readonly sweptSat: string;
  readonly feesSat: string;
  readonly next: { readonly kind: string; readonly why: string };
  readonly transactions: readonly {
    readonly txid: string;
    readonly kind: string;
    readonly state: string;
    readonly reason: string;
    readonly inputSat: string;
    readonly feeSat: string;
    readonly confirmations: number;
    readonly madeAt: string;
  }[];
}

/** What a sweep did or would do. */
export interface Sweep {
  readonly kind: string;
  readonly why: string;
  readonly destination: string | null;
  readonly inputs: number;
  readonly inputSat: string;
  readonly feeSat: string;
  readonly txid: string | null;
}

export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly actorName: string | null;
  readonly action: string;
  readonly target: string;
  readonly data: unknown;
}

export interface Tier {
  readonly name: string;
  /** How many times dearer than the rule says; decimal. */
  readonly multiplier: string;
  readonly description: string;
  readonly torrents: number;
}

/** What serving costs the operator; satoshi, decimal with up to three places. */
export interface CostRates {
  readonly bandwidthSatPerGib: string;
  readonly diskSatPerGibMonth: string;
}

/** What an edit of many torrents comes to. */
export interface BulkEdit {
  readonly matched: number;
  readonly changed: number;
  readonly refusedByDefaultBuyers: number;
  readonly declined: number;
  readonly items: readonly BulkEdited[];
  readonly nextCursor: string | null;
}

export interface BulkEdited {
  readonly infoHash: string;
  readonly name: string;
  readonly tier: string;
  readonly before: { readonly priceSat: string; readonly satPerMib: string };
  readonly after: { readonly priceSat: string; readonly satPerMib: string; readonly economics: Offer['economics'] };
  readonly changed: boolean;
}
