import { isPastDeadline } from './deadline.js';
import type { ChannelEvent, ChannelLife, Facts, Reason } from './life.js';
import type { NextAction } from './next-action.js';
import { nextAction } from './next-action.js';
import { decideSettlement, isSettled } from './settle-decision.js';
import type { ChannelState } from './states.js';
import { isFinal, mayServe } from './states.js';

/** The life of one channel as a pure state machine. The host stores what comes out before it acts on it. */

export interface Step {
  readonly life: ChannelLife;
  /** Whether anything is different: state, reason, or what is remembered. If not, nothing needs storing. */
  readonly changed: boolean;
  /** What the owner does next, and when; null in final states. */
  readonly next: NextAction | null;
}

/** The first state, when a contract key has been taken for a join. */
export function openLife(nowMs: number): ChannelLife {
  return { state: 'offered', reason: 'join-asked', enteredAtMs: nowMs };
}

/**
 * Applies an event. Events that mean nothing in a state leave it as it is, so repeated, late and reordered ones do no
 * harm. Final states are never left: see {@link reopen}.
 */
export function next(life: ChannelLife, event: ChannelEvent, facts: Facts): Step {
  const after = isFinal(life.state) ? life : apply(life, event, facts);
  return { life: after, changed: after !== life, next: nextAction(after, facts) };
}

/**
 * A reorganisation deeper than the depth taken as final has undone a final state. Kept apart from {@link next}, because
 * money already reported has to be restated and somebody told. Other final states are returned unchanged.
 */
export function reopen(life: ChannelLife, facts: Facts): Step {
  const isUndone = life.state === 'buried' || life.state === 'returned' || life.state === 'lost';
  const after = isUndone ? backToSettling(life, 'reorg-below-final', facts) : life;
  return { life: after, changed: after !== life, next: nextAction(after, facts) };
}

function apply(life: ChannelLife, event: ChannelEvent, facts: Facts): ChannelLife {
  switch (event.type) {
    case 'joining-sent':
      return life.state === 'offered' ? enter(life, 'joined', 'joining-sent', facts) : life;
    case 'ready':
      return onReady(life, facts);
    case 'funding-refused':
      return onFundingRefused(life, event.code, facts);
    case 'funding-seen':
      return onFundingSeen(life, event.waitsFor, facts);
    case 'funding-deep':
      return onFundingDeep(life, facts);
    case 'funding-vanished':
      return onFundingVanished(life, facts);
    case 'funding-double-spent':
      return onFundingDoubleSpent(life, event.txid, event.confirmations, facts);
    case 'connection-ended':
      return onConnectionEnded(life, event.cause, event.finalK, facts);
    case 'close':
      return close(life, 'operator', facts);
    case 'settlement-stored':
      return onSettlementStored(life, event.txid, facts);
    case 'settlement-accepted':
      return life.state === 'settle-rejected' ? settlingAgain(life, 'settlement-accepted', facts) : life;
    case 'settlement-rejected':
      return onSettlementRejected(life, event.code, facts);
    case 'settlement-mined':
      return onSettlementMined(life, event.confirmations, facts);
    case 'twin-mined':
      return onSettlementMined(life, event.confirmations, facts, event.txid);
    case 'settlement-unmined':
      return life.state === 'settled' ? settlingAgain(life, 'settlement-unmined', facts) : life;
    case 'foreign-spend':
      return onForeignSpend(life, event.txid, event.confirmations, facts);
    case 'foreign-spend-gone':
      return life.state === 'refund-seen' ? backToSettling(life, 'foreign-spend-gone', facts) : life;
    case 'tick':
      return onTick(life, facts);
  }
}

// Opening

function onReady(life: ChannelLife, facts: Facts): ChannelLife {
  // A `ready` can overtake the note that our answer left: the buyer has it, or could not have funded.
  const opens = (life.state === 'offered' || life.state === 'joined') && life.readyAtMs === undefined;
  return opens ? enter(life, 'joined', 'ready-received', facts, { readyAtMs: facts.nowMs }) : life;
}

function onFundingRefused(life: ChannelLife, code: string, facts: Facts): ChannelLife {
  if (life.state === 'joined') return enter(life, 'refused', 'funding-refused', facts, { detail: code });
  // Once the output was ours, what has been paid is settled, whatever was found later.
  return mayServe(life.state) ? endService(life, 'funding-refused', facts, { detail: code }) : life;
}

function onFundingSeen(life: ChannelLife, waitsFor: string, facts: Facts): ChannelLife {
  const seen = { fundingSeenAtMs: life.fundingSeenAtMs ?? facts.nowMs, detail: waitsFor };
  if (life.state === 'joined') return enter(life, 'funding-seen', 'funding-waits', facts, seen);
  if (life.state === 'funded') return enter(life, 'funding-seen', 'funding-shallow', facts, seen);
  if (life.state === 'funding-missing') return fundingReturned(life, 'funding-seen', facts);
  return life;
}

function onFundingDeep(life: ChannelLife, facts: Facts): ChannelLife {
  const seen = { fundingSeenAtMs: life.fundingSeenAtMs ?? facts.nowMs };
  if (life.state === 'joined' || life.state === 'funding-seen') {
    return enter(life, 'funded', 'funding-deep', facts, seen);
  }
  return life.state === 'funding-missing' ? fundingReturned(life, 'funded', facts) : life;
}

function onFundingVanished(life: ChannelLife, facts: Facts): ChannelLife {
  const isBefore = life.state === 'offered' || life.state === 'joined' || life.state === 'funding-missing';
  return isBefore ? life : enter(life, 'funding-missing', 'funding-vanished', facts);
}

/** A rival that is final ends the matter; one that is not may still lose, so the funding is only missing. */
function onFundingDoubleSpent(life: ChannelLife, txid: string, confirmations: number, facts: Facts): ChannelLife {
  if (life.state === 'offered' || life.state === 'joined') return life;
  if (confirmations >= facts.rules.finalConfirmations) return giveUp(life, 'funding-double-spent', facts, txid);
  if (life.state === 'funding-missing') return life;
  return enter(life, 'funding-missing', 'funding-double-spent', facts, { detail: txid });
}

/** Service goes on only if k was not frozen meanwhile; a frozen channel goes on where it was. */
function fundingReturned(life: ChannelLife, serving: ChannelState, facts: Facts): ChannelLife {
  if (life.frozenK === undefined && life.awaitedK === undefined) return enter(life, serving, 'funding-returned', facts);
  return backToSettling(life, 'funding-returned', facts);
}

// Closing

function onConnectionEnded(life: ChannelLife, cause: string, finalK: number, facts: Facts): ChannelLife {
  if (isUnfunded(life)) return enter(life, 'join-expired', 'ended-before-ready', facts, { detail: cause });
  if (mayServe(life.state) || life.state === 'joined') {
    return endService(life, 'connection-ended', facts, { detail: cause }, finalK);
  }
  // The service had ended already; now we know what to wait for.
  const waits = life.state === 'closing' || life.state === 'funding-missing' || life.state === 'refund-seen';
  return waits && life.frozenK === undefined ? awaitPayment(life, finalK, facts) : life;
}

function close(life: ChannelLife, reason: 'operator' | 'deadline' | 'k-cap' | 'unconfirmed-too-long', facts: Facts) {
  if (isUnfunded(life)) return enter(life, 'join-expired', reason, facts);
  if (mayServe(life.state) || life.state === 'joined') return endService(life, reason, facts);
  const isMissing = life.state === 'funding-missing' && life.frozenK === undefined && life.awaitedK === undefined;
  return isMissing ? awaitPayment(life, Infinity, facts) : life;
}

/**
 * No piece leaves from here on. Payments that the node took may still be on their way to us, so k is frozen when the
 * last of them is here: `finalK` where the node has told it, else when nothing more came for a while.
 */
function endService(
  life: ChannelLife,
  reason: Reason,
  facts: Facts,
  more: Partial<ChannelLife> = {},
  finalK = Infinity,
): ChannelLife {
  // Before the funding was seen nothing can have been paid.
  const lastK = life.state === 'joined' ? 0 : finalK;
  return awaitPayment(enter(life, 'closing', reason, facts, more), lastK, facts);
}

/** Freezes k if payment `lastK` is here, else remembers to wait for it. kCap bounds what a lying node makes us wait for. */
function awaitPayment(life: ChannelLife, lastK: number, facts: Facts): ChannelLife {
  const awaitedK = Math.max(0, Math.min(lastK, facts.kCap ?? 0));
  return facts.k >= awaitedK ? freeze(life, facts) : { ...life, awaitedK };
}

/** Remembers what will be settled: the newest verified payment, never beyond kCap, never changed again. */
function freeze(life: ChannelLife, facts: Facts): ChannelLife {
  if (life.frozenK !== undefined) return life;
  const { awaitedK: _hereOrGivenUp, ...rest } = life;
  return { ...rest, frozenK: Math.min(facts.k, facts.kCap ?? 0) };
}

/** Freezes k when the awaited payment is here or has been waited for long enough. */
function freezeWhenDue(life: ChannelLife, facts: Facts): ChannelLife {
  if (life.frozenK !== undefined) return life;
  const isHere = facts.k >= (life.awaitedK ?? facts.kCap ?? 0);
  return isHere || facts.nowMs - life.enteredAtMs >= facts.rules.awaitedPaymentMs ? freeze(life, facts) : life;
}

function isUnfunded(life: ChannelLife): boolean {
  return life.state === 'offered' || (life.state === 'joined' && life.readyAtMs === undefined);
}

// Settling

function onSettlementStored(life: ChannelLife, txid: string, facts: Facts): ChannelLife {
  // At most one settlement is ever broadcast, and only for a frozen k.
  if (life.frozenK === undefined || life.settlementTxid !== undefined) return life;
  if (life.state === 'closing') return enter(life, 'settling', 'settlement-stored', facts, { settlementTxid: txid });
  return life.state === 'refund-seen' || life.state === 'funding-missing' ? { ...life, settlementTxid: txid } : life;
}

function onSettlementRejected(life: ChannelLife, code: string, facts: Facts): ChannelLife {
  if (life.state !== 'settling' && life.state !== 'settle-rejected') return life;
  const rejections = (life.rejections ?? 0) + 1;
  // The clock starts anew with each refusal: the pause before the next attempt is measured from it.
  const more = { detail: code, rejections, enteredAtMs: facts.nowMs };
  return enter(life, 'settle-rejected', 'settlement-rejected', facts, more);
}

/** @param twinTxid where what is mined has the settlement's outputs and another txid */
function onSettlementMined(life: ChannelLife, confirmations: number, facts: Facts, twinTxid?: string): ChannelLife {
  if (life.settlementTxid === undefined || confirmations < 1) return life;
  const minedTxid = twinTxid === life.settlementTxid ? undefined : twinTxid;
  const mines = isSettlingState(life.state) || life.state === 'funding-missing' || life.state === 'refund-seen';
  const isOther = life.state === 'settled' && life.minedTxid !== minedTxid;
  const reason = minedTxid === undefined ? 'settlement-mined' : 'settled-by-twin';
  const settled = mines || isOther ? withMined(enter(life, 'settled', reason, facts), minedTxid) : life;
  if (settled.state !== 'settled' || confirmations < facts.rules.finalConfirmations) return settled;
  const pays = settlementDecision(settled, facts) === 'settle';
  return enter(settled, pays ? 'buried' : 'returned', 'settlement-final', facts);
}

function withMined({ minedTxid: _former, ...life }: ChannelLife, minedTxid: string | undefined): ChannelLife {
  return minedTxid === undefined ? life : { ...life, minedTxid };
}

function settlingAgain(life: ChannelLife, reason: Reason, facts: Facts): ChannelLife {
  const { rejections: _overcome, ...rest } = life;
  return enter(rest, 'settling', reason, facts);
}

/** Where a channel goes on whose service has ended: with its settlement if there is one, else before it. */
function backToSettling(life: ChannelLife, reason: Reason, facts: Facts): ChannelLife {
  return life.settlementTxid === undefined ? enter(life, 'closing', reason, facts) : settlingAgain(life, reason, facts);
}

// The buyer's refund

function onForeignSpend(life: ChannelLife, txid: string, confirmations: number, facts: Facts): ChannelLife {
  if (life.state === 'offered') return life;
  if (life.state === 'joined') return enter(life, 'refused', 'foreign-spend', facts, { detail: txid });
  // Only one of the two can be in the chain: a mempool report beside our mined settlement is stale.
  if (life.state === 'settled' && confirmations === 0) return life;
  if (confirmations >= facts.rules.finalConfirmations) return refundFinal(freeze(life, facts), txid, facts);
  if (life.state === 'refund-seen' && life.detail === txid) return life;
  const seen = enter(life, 'refund-seen', 'foreign-spend', facts, { detail: txid });
  return life.awaitedK === undefined && life.frozenK === undefined ? awaitPayment(seen, Infinity, facts) : seen;
}

function refundFinal(life: ChannelLife, txid: string, facts: Facts): ChannelLife {
  const decision = settlementDecision(life, facts);
  if (decision === 'settle') return enter(life, 'lost', 'refunded', facts, { detail: txid });
  // A lost chance to return the buyer's change costs us nothing: the buyer has it back.
  return enter(life, 'nothing-owed', isSettled(decision) ? 'refunded' : decision, facts, { detail: txid });
}

// Time

function onTick(life: ChannelLife, facts: Facts): ChannelLife {
  const { rules, nowMs } = facts;
  switch (life.state) {
    case 'offered':
    case 'joined':
      return onJoinTick(life, facts);
    case 'funding-seen':
    case 'funded':
      if (facts.kCap !== undefined && facts.k >= facts.kCap) return close(life, 'k-cap', facts);
      if (isPastDeadline(facts, facts.marginSeconds, facts.tipMtp)) return close(life, 'deadline', facts);
      return isUnconfirmedTooLong(life, facts) ? close(life, 'unconfirmed-too-long', facts) : life;
    case 'closing':
    case 'refund-seen':
      return onClosingTick(life, facts);
    case 'funding-missing':
      if (nowMs - life.enteredAtMs >= rules.watchMs) return giveUp(life, 'funding-never-returned', facts);
      return nowMs - life.enteredAtMs >= rules.fundingSeenMs ? freeze(life, facts) : life;
    default:
      return life;
  }
}

function onJoinTick(life: ChannelLife, facts: Facts): ChannelLife {
  const { rules, nowMs } = facts;
  if (life.readyAtMs === undefined) {
    return nowMs - life.enteredAtMs >= rules.joinMaxAgeMs ? enter(life, 'join-expired', 'join-too-old', facts) : life;
  }
  const isOverdue = nowMs - life.readyAtMs >= rules.fundingSeenMs;
  return isOverdue ? enter(life, 'refused', 'funding-not-seen', facts) : life;
}

function isUnconfirmedTooLong(life: ChannelLife, facts: Facts): boolean {
  const sinceMs = facts.nowMs - (life.fundingSeenAtMs ?? life.enteredAtMs);
  return facts.fundingPreviousMtp === undefined && sinceMs >= facts.rules.unconfirmedMs;
}

function onClosingTick(life: ChannelLife, facts: Facts): ChannelLife {
  const frozen = freezeWhenDue(life, facts);
  if (frozen.frozenK === undefined) return life;
  // Two steps, so that the story of the channel shows what was frozen before what became of it.
  if (frozen !== life) return life.state === 'closing' ? { ...frozen, reason: 'k-frozen' } : frozen;
  // What is signed is followed to its end, even if the policy has changed meanwhile.
  if (life.settlementTxid !== undefined) return life;
  const decision = settlementDecision(life, facts);
  return isSettled(decision) ? life : enter(life, 'nothing-owed', decision, facts);
}

/** The funding will not come any more, and what was paid over it is lost with it. */
function giveUp(
  life: ChannelLife,
  why: 'funding-never-returned' | 'funding-double-spent',
  facts: Facts,
  detail?: string,
): ChannelLife {
  const frozen = freeze(life, facts);
  const decision = settlementDecision(frozen, facts);
  const more = detail === undefined ? {} : { detail };
  return decision === 'settle'
    ? enter(frozen, 'lost', why, facts, more)
    : enter(frozen, 'nothing-owed', isSettled(decision) ? why : decision, facts, more);
}

function settlementDecision(life: ChannelLife, facts: Facts) {
  const { belowMin, minRelaySatPerKvb } = facts.rules;
  return decideSettlement({ ...facts, k: life.frozenK ?? 0 }, belowMin, minRelaySatPerKvb);
}

function isSettlingState(state: ChannelState): boolean {
  return state === 'closing' || state === 'settling' || state === 'settle-rejected';
}

/** States in which what is mined is remembered. */
const RESTS_ON_MINED: ReadonlySet<ChannelState> = new Set(['settled', 'buried', 'returned']);

function enter(
  life: ChannelLife,
  state: ChannelState,
  reason: Reason,
  facts: Facts,
  more: Partial<ChannelLife> = {},
): ChannelLife {
  const { detail: _old, minedTxid, ...rest } = life;
  const kept = minedTxid !== undefined && RESTS_ON_MINED.has(state) ? { ...rest, minedTxid } : rest;
  // A state that is entered again for the same reason has not been left, so its clock runs on.
  const same = life.state === state && life.reason === reason;
  return { ...kept, state, reason, enteredAtMs: same ? life.enteredAtMs : facts.nowMs, ...more };
}
