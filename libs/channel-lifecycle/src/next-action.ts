import { deadlineMtp } from './deadline.js';
import type { ChannelLife, Facts } from './life.js';
import type { Owner } from './states.js';
import { isFinal, ownerOf } from './states.js';

/** What the owner of a channel does next, and by when. Computed from what is stored, so a restart loses nothing. */

export type Action =
  /** Send `joining_contract`, or report that it left. */
  | 'send-joining'
  /** Wait for `ready`; at the time given the join has expired. */
  | 'await-ready'
  /** Look for the funding transaction. */
  | 'find-funding'
  /** Look how deep the funding is, and whether the deadline has come. */
  | 'follow-funding'
  /** Wait for the payment that the node announced; at the time given, freeze without it. */
  | 'await-payment'
  /** Decide by the frozen k; sign and store the settlement, or close the book. */
  | 'sign-settlement'
  /** See that the settlement is broadcast and mined. */
  | 'follow-settlement'
  /** Offer the settlement to the node again. */
  | 'retry-settlement'
  /** Look whether the vanished funding is back. */
  | 'await-funding';

export interface NextAction {
  readonly what: Action;
  readonly owner: Owner;
  /** Wall clock. Never absent: nothing waits for ever. May lie in the past: then it is due. */
  readonly atMs: number;
  /** Where the action also becomes due by median time past, seconds: the deadline of a channel that is served. */
  readonly atMtp?: number;
}

/** The pause before the first look for a funding transaction, and between looks. */
const FUNDING_LOOK_MS = 1_000;

/** Undefined facts of the chain only lengthen the wait; they never remove the action. Null in final states. */
export function nextAction(life: ChannelLife, facts: Facts): NextAction | null {
  const owner = ownerOf(life.state);
  if (owner === null || isFinal(life.state)) return null;
  const { nowMs, rules } = facts;
  const at = (what: Action, atMs: number): NextAction => ({ what, owner, atMs });
  switch (life.state) {
    case 'offered':
      return at('send-joining', nowMs);
    case 'joined':
      return life.readyAtMs === undefined
        ? at('await-ready', life.enteredAtMs + rules.joinMaxAgeMs)
        : at('find-funding', Math.min(nowMs + FUNDING_LOOK_MS, life.readyAtMs + rules.fundingSeenMs));
    case 'funding-seen':
    case 'funded':
      return withDeadline(at('follow-funding', nowMs + rules.lookMs), facts);
    case 'closing':
      return life.frozenK === undefined
        ? at('await-payment', life.enteredAtMs + rules.awaitedPaymentMs)
        : at('sign-settlement', nowMs);
    case 'settle-rejected':
      return at('retry-settlement', life.enteredAtMs + retryPauseMs(life.rejections ?? 1, facts));
    case 'funding-missing':
      return life.frozenK === undefined
        ? at('await-funding', Math.min(nowMs + rules.lookMs, life.enteredAtMs + rules.fundingSeenMs))
        : at('await-funding', nowMs + rules.lookMs);
    case 'refund-seen':
      if (life.frozenK === undefined) return at('await-payment', life.enteredAtMs + rules.awaitedPaymentMs);
      return life.settlementTxid === undefined
        ? at('sign-settlement', nowMs)
        : at('follow-settlement', nowMs + rules.lookMs);
    default:
      return at('follow-settlement', nowMs + rules.lookMs);
  }
}

function withDeadline(action: NextAction, facts: Facts): NextAction {
  const deadline = deadlineMtp(facts, facts.marginSeconds);
  return deadline === undefined ? action : { ...action, atMtp: deadline };
}

/** Doubles with each refusal, up to the ordinary look. */
function retryPauseMs(rejections: number, { rules }: Facts): number {
  return Math.min(rules.lookMs, rules.rejectedRetryMs * 2 ** Math.min(rejections - 1, 20));
}
