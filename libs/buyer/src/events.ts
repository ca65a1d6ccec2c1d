/** What a contract will cost, told before money moves. Satoshi are decimal strings. */
export interface Quote {
  readonly sellers: number;
  /** The dearest seller's price of one piece. */
  readonly priceSat: string;
  readonly perGibSat: string;
  /** Pieces still to be bought. */
  readonly pieces: number;
  /** Most that these pieces cost. */
  readonly totalSat: string;
  /** Paid before, by earlier contracts of this run. */
  readonly paidBeforeSat: string;
  /** What is locked meanwhile; what is not spent comes back. */
  readonly depositSat: string;
  /** Fee of the funding transaction. */
  readonly feeSat: string;
}

/** What happens during a command, for people and for programs. Satoshi are decimal strings. */
export type ReportEvent =
  | { readonly event: 'wallet'; readonly dir: string; readonly spendableSat: string }
  | { readonly event: 'mining'; readonly blocks: number; readonly detail: string }
  | { readonly event: 'resumed'; readonly have: number; readonly pieces: number }
  | { readonly event: 'peers-found'; readonly source: string; readonly count: number }
  | { readonly event: 'seller-connected'; readonly seller: string }
  | { readonly event: 'seller-lost'; readonly seller: string; readonly code: string }
  | {
      readonly event: 'seller-joined';
      readonly seller: string;
      readonly priceSat: string;
      readonly latencyMs: number | null;
    }
  | ({ readonly event: 'quote' } & Quote)
  /** Every seller of the contract is gone or paid up, and pieces are missing: a further contract follows. */
  | { readonly event: 'contract-used-up'; readonly missing: number }
  | {
      readonly event: 'contract';
      readonly txid: string;
      readonly depositSat: string;
      readonly feeSat: string;
      readonly outputs: readonly { readonly seller: string; readonly vout: number; readonly valueSat: string }[];
      readonly refundableAfterUnits: number;
    }
  | {
      readonly event: 'piece';
      readonly piece: number;
      readonly seller: string;
      readonly have: number;
      readonly pieces: number;
    }
  /** About once a second. */
  | {
      readonly event: 'progress';
      readonly have: number;
      readonly pieces: number;
      readonly paidSat: string;
      readonly bytesPerSecond: number;
      /** Null while nothing comes. */
      readonly secondsLeft: number | null;
      readonly connections: number;
    }
  | { readonly event: 'payment'; readonly seller: string; readonly k: number; readonly paidSat: string }
  | { readonly event: 'purchase-ended'; readonly seller: string; readonly code: string; readonly payments: number }
  | {
      readonly event: 'done';
      readonly infoHash: string;
      readonly pieces: number;
      readonly bought: number;
      /** Pieces that ordinary peers gave. */
      readonly free: number;
      readonly payments: number;
      readonly paidSat: string;
      readonly fundingTxid: string | null;
      readonly out: string;
      readonly seconds: number;
    }
  | {
      readonly event: 'refund';
      readonly outpoint: string;
      readonly state: string;
      readonly detail: string;
      /** Why the node refuses it, where it does. */
      readonly code?: string;
    }
  | { readonly event: 'seed'; readonly words: string; readonly dir: string }
  | { readonly event: 'address'; readonly address: string }
  | {
      readonly event: 'balance';
      readonly spendableSat: string;
      readonly immatureSat: string;
      readonly lockedSat: string;
      readonly refundableSat: string;
      readonly returningSat: string;
      readonly locked: readonly {
        readonly outpoint: string;
        readonly seller: string;
        readonly valueSat: string;
        readonly paidSat: string;
        readonly state: string;
        /** Null until the deposit is mined. */
        readonly refundableAt: string | null;
      }[];
      readonly deposits: {
        readonly depositedSat: string;
        readonly openSat: string;
        readonly spentSat: string;
        readonly returnedSat: string;
        readonly refundFeesSat: string;
        readonly unseenSat: string;
      };
    }
  | {
      readonly event: 'moved';
      readonly at: string;
      readonly kind: string;
      readonly txid: string;
      readonly amountSat: string;
      readonly feeSat: string;
      readonly detail: string;
    }
  | {
      readonly event: 'sent';
      readonly txid: string;
      readonly address: string;
      readonly amountSat: string;
      readonly feeSat: string;
    }
  | {
      readonly event: 'restored';
      readonly blocks: number;
      readonly unavailable: number;
      readonly contracts: number;
      readonly received: number;
    }
  /** The player may connect. */
  | { readonly event: 'streaming'; readonly url: string; readonly files: readonly string[] }
  /** The first byte of an answer to a player left. */
  | { readonly event: 'first-byte'; readonly offset: number; readonly ms: number }
  /** A restore has read the chain up to here. */
  | { readonly event: 'restoring'; readonly height: number }
  /** A round of a daemon failed; it goes on. */
  | { readonly event: 'retrying'; readonly code: string; readonly message: string }
  | { readonly event: 'error'; readonly code: string; readonly message: string };

export interface Reporter {
  report(event: ReportEvent): void;
}
