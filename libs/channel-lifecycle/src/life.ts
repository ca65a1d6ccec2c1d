import type { BelowMinPolicy, SettleDecision } from './settle-decision.js';
import type { ChannelState } from './states.js';

/** What is persisted of a channel's life, what can happen to it, and what is known when it happens. */

/** Why a state was entered. */
export type Reason =
  /** The contract key was taken. */
  | 'join-asked'
  /** `joining_contract` left. */
  | 'joining-sent'
  /** `ready` came; the funding transaction is looked for. */
  | 'ready-received'
  /** The quote is stale, or the buyer took too long. */
  | 'join-too-old'
  /** The connection ended before `ready`. */
  | 'ended-before-ready'
  /** A check of the funding failed; `detail` has its code. */
  | 'funding-refused'
  /** Our node did not see the funding transaction in time. */
  | 'funding-not-seen'
  /** The funding is ours; `detail` has what it waits for. */
  | 'funding-waits'
  /** The funding is deep enough. */
  | 'funding-deep'
  /** A reorganisation or a large payment made the funding too shallow again. */
  | 'funding-shallow'
  /** The funding transaction left mempool and chain. */
  | 'funding-vanished'
  /** Another transaction spends an input of the funding; `detail` has its txid. */
  | 'funding-double-spent'
  /** The funding transaction is back. */
  | 'funding-returned'
  /** The funding stayed away for the whole watch. */
  | 'funding-never-returned'
  /** Unconfirmed for hours: the lock never starts, and it can be replaced any time. */
  | 'unconfirmed-too-long'
  /** The last payment that can be settled was made. */
  | 'k-cap'
  /** The refund would mature too soon. */
  | 'deadline'
  /** The connection ended; `detail` has the node's cause. */
  | 'connection-ended'
  /** An operator ended the channel, or the node drains. */
  | 'operator'
  /** k is frozen: the awaited payment came, or did not come in time. */
  | 'k-frozen'
  /** The signed settlement is stored. */
  | 'settlement-stored'
  /** The node took the settlement after all. */
  | 'settlement-accepted'
  /** The node refuses the settlement; `detail` has its code. */
  | 'settlement-rejected'
  /** The settlement is in a block. */
  | 'settlement-mined'
  /** A block holds a transaction with the outputs of the settlement and another txid; `minedTxid` has it. */
  | 'settled-by-twin'
  /** The settlement left the chain by a reorganisation. */
  | 'settlement-unmined'
  /** The settlement is final. */
  | 'settlement-final'
  /** Another transaction spends the funding output; `detail` has its txid. */
  | 'foreign-spend'
  /** The other transaction is gone again. */
  | 'foreign-spend-gone'
  /** The refund is final. */
  | 'refunded'
  /** A reorganisation went deeper than the depth taken as final. */
  | 'reorg-below-final'
  | Exclude<SettleDecision, 'settle' | 'return-change'>;

export interface ChannelLife {
  readonly state: ChannelState;
  readonly reason: Reason;
  /** A code or txid that goes with the reason. */
  readonly detail?: string;
  /** Wall clock at which the state was entered. */
  readonly enteredAtMs: number;
  /** When `ready` came. */
  readonly readyAtMs?: number;
  /** When the funding was first seen. */
  readonly fundingSeenAtMs?: number;
  /** While k is not frozen after the service ended: the last payment that may still come, kCap at most. */
  readonly awaitedK?: number;
  /** What will be settled. Once set it never changes. */
  readonly frozenK?: number;
  /** Display order, hex. Once set, the only settlement that is ever broadcast. */
  readonly settlementTxid?: string;
  /** What is mined in place of the settlement with the same outputs; only in states that rest on it. */
  readonly minedTxid?: string;
  /** Times the node refused the settlement in a row. */
  readonly rejections?: number;
}

export type ChannelEvent =
  /** Our answer to the join has left. */
  | { readonly type: 'joining-sent' }
  /** The buyer presented its funding. */
  | { readonly type: 'ready' }
  /** A check of the funding failed. */
  | { readonly type: 'funding-refused'; readonly code: string }
  /** The funding is ours and unspent, but waits for something. */
  | { readonly type: 'funding-seen'; readonly waitsFor: string }
  /** The funding is ours, unspent, and deep enough for its value. */
  | { readonly type: 'funding-deep' }
  /** The funding transaction is neither in the mempool nor in the chain. */
  | { readonly type: 'funding-vanished' }
  /** Another transaction spends an input of the funding. 0 confirmations: in the mempool. Repeated until it is final. */
  | { readonly type: 'funding-double-spent'; readonly txid: string; readonly confirmations: number }
  /** The node reports the end of the connection, with the last payment it took. */
  | { readonly type: 'connection-ended'; readonly cause: string; readonly finalK: number }
  /** An operator, or a draining node, ends the channel. */
  | { readonly type: 'close' }
  /** The settlement of the frozen k is signed and stored. Comes before any broadcast. */
  | { readonly type: 'settlement-stored'; readonly txid: string }
  /** The settlement is in our node's mempool. */
  | { readonly type: 'settlement-accepted' }
  /** Our node refuses the settlement. */
  | { readonly type: 'settlement-rejected'; readonly code: string }
  /** The settlement is in the chain. Repeated with every block until it is final. */
  | { readonly type: 'settlement-mined'; readonly confirmations: number }
  /** A transaction with the settlement's outputs and another txid is in the chain. Repeated until it is final. */
  | { readonly type: 'twin-mined'; readonly txid: string; readonly confirmations: number }
  /** The settlement, or its twin, is in the chain no more. */
  | { readonly type: 'settlement-unmined' }
  /** A transaction that is not our settlement spends the funding output. 0 confirmations: in the mempool. */
  | { readonly type: 'foreign-spend'; readonly txid: string; readonly confirmations: number }
  /** That transaction is neither in the mempool nor in the chain any more. */
  | { readonly type: 'foreign-spend-gone' }
  /** Time has passed, a payment was stored, or a new tip came: look whether anything is due. */
  | { readonly type: 'tick' };

/** What is known when an event is applied. */
export interface Facts {
  /** Wall clock. */
  readonly nowMs: number;
  /** Median time past of the tip, seconds. */
  readonly tipMtp: number;
  /** The newest verified payment, 0 if none. */
  readonly k: number;
  /** Absent before `ready`. */
  readonly kCap?: number;
  readonly priceSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly lockUnits: number;
  /** Median time past before the funding's block, seconds; absent while unconfirmed. */
  readonly fundingPreviousMtp?: number;
  /** The policy's settlement margin for this channel, seconds of median time past. */
  readonly marginSeconds: number;
  readonly rules: LifecycleRules;
}

/** The policy's numbers that a life depends on. Wall-clock spans in milliseconds. */
export interface LifecycleRules {
  readonly belowMin: BelowMinPolicy;
  /** Relay minimum of our node, satoshi per 1000 virtual bytes. */
  readonly minRelaySatPerKvb: bigint;
  /** How long a join may wait for its funding. */
  readonly joinMaxAgeMs: number;
  /** How long a funding transaction may be unseen: after `ready`, and after it vanished. */
  readonly fundingSeenMs: number;
  /** How long a funding may stay unconfirmed. */
  readonly unconfirmedMs: number;
  /** How long a vanished funding is waited for. */
  readonly watchMs: number;
  /** How long payments are awaited that the node may have taken and we have not. */
  readonly awaitedPaymentMs: number;
  /** Confirmations at which a settlement or refund is final. */
  readonly finalConfirmations: number;
  /** How often the owner looks at a channel of which it hears nothing. */
  readonly lookMs: number;
  /** First pause after a refused settlement; it doubles up to `lookMs`. */
  readonly rejectedRetryMs: number;
}

/** The defaults, as in the policy table; a service passes its own policy's numbers. */
export const DEFAULT_RULES: LifecycleRules = {
  belowMin: 'return-change',
  minRelaySatPerKvb: 1000n,
  joinMaxAgeMs: 6 * 3_600_000,
  fundingSeenMs: 120_000,
  unconfirmedMs: 6 * 3_600_000,
  watchMs: 14 * 86_400_000,
  awaitedPaymentMs: 10_000,
  finalConfirmations: 6,
  lookMs: 300_000,
  rejectedRetryMs: 2_000,
};
