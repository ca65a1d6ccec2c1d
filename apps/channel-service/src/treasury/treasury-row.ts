type Bytes = Uint8Array<ArrayBuffer>;

export type TreasuryKind = 'child' | 'split' | 'sweep';

/**
 * stored, mempool, rejected, conflicted: as chain-watcher says. replaced: a dearer one was sent in its place; void: it can't
 * come any more; both may still be found in a block. confirmed, buried: mined, and final.
 */
export type TreasuryState =
  'stored' | 'mempool' | 'rejected' | 'conflicted' | 'replaced' | 'void' | 'confirmed' | 'buried';

/** A transaction that moves what lies on payout keys, as queries return it. */
export interface TreasuryRow {
  readonly txid: string;
  readonly kind: TreasuryKind;
  /** The channel whose settlement a child pays for. */
  readonly channelId: string | null;
  readonly raw: Bytes;
  readonly inputSat: bigint;
  readonly feeSat: bigint;
  readonly virtualBytes: number;
  readonly destination: string | null;
  /** Why it was made. */
  readonly reason: string;
  readonly replaces: string | null;
  readonly madeAtHeight: number;
  readonly state: TreasuryState;
  readonly stateReason: string;
  readonly height: number | null;
  readonly confirmations: number;
  readonly version: number;
  readonly nextActionAt: Date | null;
  /** Times that news of the chain has come in. */
  readonly wakes: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A coin on a payout key, with the transaction that made it. */
export interface TreasuryCoin {
  readonly txid: string;
  readonly vout: number;
  readonly valueSat: bigint;
  readonly keyEpoch: number;
  readonly keyIndex: number;
  readonly raw: Bytes;
}

/** An output of a new transaction that is a coin of ours again. */
export interface NewCoin {
  readonly vout: number;
  readonly valueSat: bigint;
  readonly keyEpoch: number;
  readonly keyIndex: number;
}

/** Everything that is stored of a signed transaction before it is sent. */
export interface NewTreasury {
  readonly txid: string;
  readonly kind: TreasuryKind;
  readonly channelId: string | null;
  readonly raw: Uint8Array;
  readonly inputSat: bigint;
  readonly feeSat: bigint;
  readonly virtualBytes: number;
  readonly destination: string | null;
  /** The address of the operator's account that this one uses up; null where it has none to use up. */
  readonly address: { readonly wallet: string; readonly index: number } | null;
  readonly reason: string;
  readonly replaces: string | null;
  readonly madeAtHeight: number;
  readonly spends: readonly { readonly txid: string; readonly vout: number }[];
  readonly makes: readonly NewCoin[];
}
