import { close, onConnectionEnded } from './closing.js';
import { enter } from './enter.js';
import {
  onFundingDeep,
  onFundingDoubleSpent,
  onFundingRefused,
  onFundingSeen,
  onFundingVanished,
  onReady,
} from './funding.js';
import type { ChannelEvent, ChannelLife, Facts } from './life.js';
import type { NextAction } from './next-action.js';
import { nextAction } from './next-action.js';
import {
  backToSettling,
  onForeignSpend,
  onSettlementMined,
  onSettlementRejected,
  onSettlementStored,
  settlingAgain,
} from './settling.js';
import { isFinal } from './states.js';
import { onTick } from './ticking.js';

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
