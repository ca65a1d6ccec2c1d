import { close, freeze, freezeWhenDue } from './closing.js';
import { isPastDeadline } from './deadline.js';
import { enter } from './enter.js';
import { giveUp } from './funding.js';
import type { ChannelLife, Facts } from './life.js';
import { isSettled } from './settle-decision.js';
import { settlementDecision } from './settling.js';

/** What time alone brings. */

export function onTick(life: ChannelLife, facts: Facts): ChannelLife {
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
