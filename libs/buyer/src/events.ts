/** What happens during a command, for people and for programs. Satoshi are decimal strings. */
export type ReportEvent =
  | { readonly event: 'wallet'; readonly dir: string; readonly spendableSat: string }
  | { readonly event: 'mining'; readonly blocks: number; readonly detail: string }
  | { readonly event: 'resumed'; readonly have: number; readonly pieces: number }
  | { readonly event: 'seller-connected'; readonly seller: string }
  | { readonly event: 'seller-lost'; readonly seller: string; readonly code: string }
  | {
      readonly event: 'seller-joined';
      readonly seller: string;
      readonly priceSat: string;
      readonly latencyMs: number | null;
    }
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
  | { readonly event: 'payment'; readonly seller: string; readonly k: number; readonly paidSat: string }
  | { readonly event: 'purchase-ended'; readonly seller: string; readonly code: string; readonly payments: number }
  | {
      readonly event: 'done';
      readonly infoHash: string;
      readonly pieces: number;
      readonly bought: number;
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
  | { readonly event: 'error'; readonly code: string; readonly message: string };

export interface Reporter {
  report(event: ReportEvent): void;
}
