/** What a connection machine wants done, in order. Effects are data; the host carries them out. */

import type { ChannelParameters } from '@seedfleet/payment-channel';
import type { BuyerTerms, Message, MessageName, SellerTerms } from '@seedfleet/wire';

import type { ChannelEndReason, CloseCode, JoinLapseReason, NoteCode } from './codes.js';

/** What a peer last said it is. */
export type PeerMode =
  | { readonly kind: 'none' }
  | { readonly kind: 'observe' }
  | { readonly kind: 'buy'; readonly terms: BuyerTerms }
  | { readonly kind: 'sell'; readonly terms: SellerTerms; readonly index: number };

/** Effects on the connection itself. */
export type TransportEffect =
  /** Send our extended handshake: `install` with the eleven ids 60…70 and `cc`, `uninstall` with eleven zeros. */
  | { readonly type: 'send-handshake'; readonly kind: 'install' | 'uninstall' }
  /** Encode and send one message under this extended id. */
  | { readonly type: 'send'; readonly id: number; readonly message: Message }
  /** Close the connection after everything sent so far. Emitted at most once. */
  | {
      readonly type: 'close';
      readonly code: CloseCode;
      /** Whether the peer is to be scored down. */
      readonly penalise: boolean;
      /** The host's reason, where the code is `local` or `funding-refused`. */
      readonly reason?: string;
    }
  /** The peer entered or left the paid session. */
  | { readonly type: 'session-joined' }
  | { readonly type: 'session-left' }
  /** A mode message arrived. */
  | { readonly type: 'peer-mode'; readonly mode: PeerMode; readonly previous: PeerMode }
  /** Something worth counting. */
  | { readonly type: 'note'; readonly code: NoteCode; readonly message?: MessageName };

/** Effects of a seller. */
export type SellerEffect =
  /** `sell` is held back: start a timer of at most 2 s that fires `hold-expired`. */
  | { readonly type: 'sell-held' }
  /** Answer with `quote`. The buyer's terms are there if it has announced them. */
  | { readonly type: 'quote-wanted'; readonly buyerTerms?: BuyerTerms }
  /**
   * A speed test to answer under this id, if the host's budget allows: a `speedTestPayload` of `sizeBytes` from a shared
   * buffer. Not answering is legal on the wire.
   */
  | { readonly type: 'speed-test-wanted'; readonly id: number; readonly sizeBytes: number }
  /** Open a channel: answer with `join-accepted` or `join-refused`. */
  | {
      readonly type: 'join-wanted';
      readonly invitation: number;
      readonly buyerTerms: BuyerTerms;
      readonly sellerTerms: SellerTerms;
      /** Index of the accepted `sell`. */
      readonly index: number;
    }
  /** An invitation or a joined, unfunded channel came to nothing; an answer still under way will be dropped. */
  | {
      readonly type: 'join-lapsed';
      readonly invitation: number;
      /** Whether `joining_contract` had been sent. */
      readonly joined: boolean;
      readonly reason: JoinLapseReason;
    }
  /** The buyer named its funding output: validate it and answer with `funding-verdict`. */
  | { readonly type: 'funding-announced'; readonly invitation: number; readonly parameters: ChannelParameters }
  /** Read and hash-check a piece, answer with `piece-loaded` or `piece-unreadable`. */
  | { readonly type: 'load-piece'; readonly entry: number; readonly piece: number; readonly sizeBytes: number }
  /** Write the loaded piece as a `full_piece` under this id and forget it. */
  | {
      readonly type: 'deliver-piece';
      readonly id: number;
      readonly entry: number;
      readonly piece: number;
      readonly sizeBytes: number;
    }
  /** A loaded or loading piece that will not be delivered. */
  | { readonly type: 'discard-piece'; readonly entry: number }
  /** A verified payment: make it durable, then answer with `payments-stored`. */
  | {
      readonly type: 'store-payment';
      readonly paymentNumber: number;
      /** DER without the hash type byte; owned by the receiver. */
      readonly signature: Uint8Array;
      /** Satoshi paid in total: number × price. */
      readonly paidSat: bigint;
    }
  /** A funded channel ended, exactly once. */
  | {
      readonly type: 'channel-ended';
      readonly invitation: number;
      readonly reason: ChannelEndReason;
      /** Number of the last valid payment, 0 if none. */
      readonly finalPayment: number;
      /** Its signature, if there was one. */
      readonly signature?: Uint8Array;
      readonly requested: number;
      readonly delivered: number;
      readonly deliveredBytes: number;
    };

/** Effects of a buyer connection, for the session above it. */
export type BuyerEffect =
  /** A `sell` arrived while it could be accepted. */
  | { readonly type: 'offer'; readonly terms: SellerTerms; readonly index: number }
  /** The speed test came back complete. */
  | { readonly type: 'speed-tested' }
  /** The seller joined under these terms. */
  | {
      readonly type: 'seller-joined';
      readonly terms: SellerTerms;
      /** 33 bytes. */
      readonly sellerPublicKey: Uint8Array;
      /** 20 bytes. */
      readonly sellerKeyHash: Uint8Array;
    }
  /** A join or invitation came to nothing. */
  | { readonly type: 'seller-unjoined' }
  /** A piece answers the oldest open request. `data` is a view into the receive buffer. */
  | { readonly type: 'piece-received'; readonly piece: number; readonly data: Uint8Array }
  /** A payment was signed and sent. */
  | { readonly type: 'payment-sent'; readonly paymentNumber: number; readonly paidSat: bigint }
  /** The download from this seller is over, exactly once. */
  | {
      readonly type: 'purchase-ended';
      readonly reason: ChannelEndReason;
      readonly paid: number;
      /** Pieces requested and not received, oldest first. */
      readonly unanswered: readonly number[];
    };

export type Effect = TransportEffect | SellerEffect | BuyerEffect;

/** Result of one step. The returned state replaces the one given in, which must not be used again. */
export interface Step<State, Out> {
  readonly state: State;
  readonly effects: Out[];
}
