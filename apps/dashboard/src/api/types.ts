/** Answers of the market API, as far as this page shows them. Satoshi are decimal strings. */

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Figures {
  readonly sales: number;
  readonly piecesPaid: number;
  readonly revenueSat: string;
  readonly uncollectableSat: string;
  readonly collectableSat: string;
  readonly expectedFeesSat: string;
  readonly broadcastSat: string;
  readonly settledSat: string;
  readonly collectedSat: string;
  readonly feesSat: string;
  readonly atRiskSat: string;
  readonly lostSat: string;
}

export interface TorrentRevenue extends Figures {
  readonly infoHash: string;
  readonly name: string | null;
}

export interface Revenue extends Page<TorrentRevenue> {
  readonly totals: Figures;
}

export interface Torrent {
  readonly infoHash: string;
  readonly name: string;
  readonly totalBytes: number;
  readonly pieceCount: number;
  readonly sale: {
    readonly state: string;
    readonly detail: string;
    readonly progress: number;
    readonly nodesOnSale: number;
    readonly refusedNow: string | null;
  };
  readonly offer: { readonly priceSat: string; readonly satPerMib: string };
}

export interface Channel {
  readonly id: string;
  readonly nodeId: string;
  readonly infoHash: string;
  readonly torrentName: string | null;
  readonly state: string;
  readonly stateReason: string;
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
  readonly kMin: number | null;
  readonly kCap: number | null;
  readonly paidSat: string;
  readonly netSat: string;
  readonly settlementTxid: string | null;
  readonly settlementConfirmations: number;
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
  readonly lastSeenAt: string;
  readonly stats: {
    readonly connections: number;
    readonly activeChannels: number;
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
