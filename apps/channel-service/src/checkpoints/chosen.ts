import type { RawTransaction } from '@seedfleet/payment-channel';
import type { ProvenPayment } from './held-payment.js';

/** Which transaction settles a channel. */
export type Chosen =
  | {
      readonly kind: 'settle';
      readonly k: bigint;
      readonly transaction: RawTransaction;
      /** Whether others have sent it already. */
      readonly isSent: boolean;
    }
  | { readonly kind: 'wait'; readonly seconds: number }
  /** It can't be signed; the one who signs has said so. */
  | { readonly kind: 'unsigned' };

/** A settlement that others have sent, or that has to be asked for again. */
export type Found = Extract<Chosen, { kind: 'settle' | 'wait' }>;

/** A later payment that only others know, or that they have to be asked for again. */
export type Known = Extract<Chosen, { kind: 'wait' }> | { readonly kind: 'later'; readonly payment: ProvenPayment };

export function settle(k: bigint, transaction: RawTransaction | null): Chosen {
  return transaction === null ? { kind: 'unsigned' } : { kind: 'settle', k, transaction, isSent: false };
}

/** What others have sent. */
export function sent(k: bigint, transaction: RawTransaction): Found {
  return { kind: 'settle', k, transaction, isSent: true };
}
