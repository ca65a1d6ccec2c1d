/** What the benchmark and its discarding downloader, a process of its own, say to one another. Bytes travel as hex. */

/** How the bytes are asked for. */
export type SinkMode =
  /** JoyStream: invited, funded, one payment per piece. */
  | 'paid'
  /** The same piece messages, and no payment. */
  | 'free'
  /** Standard BitTorrent, 16 KiB blocks. */
  | 'standard';

/** Opens connections and takes one piece on each, so that everything that follows is transfer. */
export interface OpenOrder {
  readonly type: 'open';
  readonly mode: SinkMode;
  readonly encrypted: boolean;
  readonly host: string;
  readonly port: number;
  readonly infoHash: string;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly connections: number;
  readonly piecesPerConnection: number;
  /** Requests that a connection keeps open. */
  readonly requestsOpen: number;
}

/** The funding transaction has been mined: one output per connection, in the order of `joined`. */
export interface FundOrder {
  readonly type: 'fund';
  readonly txid: string;
  readonly outputs: readonly { readonly vout: number; readonly valueSat: string }[];
}

export type SinkOrder = OpenOrder | FundOrder | { readonly type: 'go' } | { readonly type: 'close' };

/** What a seller promised on one connection. */
export interface Joined {
  readonly redeemScript: string;
  readonly priceSat: string;
  readonly settlementFeeSat: string;
}

export type SinkReport =
  /** Every connection has an invitation and a seller's key. */
  | { readonly type: 'joined'; readonly channels: readonly Joined[] }
  /** Every connection has taken its first piece. */
  | { readonly type: 'warm' }
  /** All other pieces have arrived. */
  | { readonly type: 'done'; readonly bytes: number; readonly seconds: number; readonly payments: number }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly why: string };
