import { endService, freeze } from './closing.js';
import { enter } from './enter.js';
import type { ChannelLife, Facts } from './life.js';
import { isSettled } from './settle-decision.js';
import { backToSettling, settlementDecision } from './settling.js';
import type { ChannelState } from './states.js';
import { mayServe } from './states.js';

/** The funding from `ready` on: seen, deep enough, vanished, back, or gone for good. */

export function onReady(life: ChannelLife, facts: Facts): ChannelLife {
  // A `ready` can overtake the note that our answer left: the buyer has it, or could not have funded.
  const opens = (life.state === 'offered' || life.state === 'joined') && life.readyAtMs === undefined;
  return opens ? enter(life, 'joined', 'ready-received', facts, { readyAtMs: facts.nowMs }) : life;
}

export function onFundingRefused(life: ChannelLife, code: string, facts: Facts): ChannelLife {
  if (life.state === 'joined') return enter(life, 'refused', 'funding-refused', facts, { detail: code });
  // Once the output was ours, what has been paid is settled, whatever was found later.
  return mayServe(life.state) ? endService(life, 'funding-refused', facts, { detail: code }) : life;
}

export function onFundingSeen(life: ChannelLife, waitsFor: string, facts: Facts): ChannelLife {
  const seen = { fundingSeenAtMs: life.fundingSeenAtMs ?? facts.nowMs, detail: waitsFor };
  if (life.state === 'joined') return enter(life, 'funding-seen', 'funding-waits', facts, seen);
  if (life.state === 'funded') return enter(life, 'funding-seen', 'funding-shallow', facts, seen);
  if (life.state === 'funding-missing') return fundingReturned(life, 'funding-seen', facts);
  return life;
}

export function onFundingDeep(life: ChannelLife, facts: Facts): ChannelLife {
  const seen = { fundingSeenAtMs: life.fundingSeenAtMs ?? facts.nowMs };
  if (life.state === 'joined' || life.state === 'funding-seen') {
    return enter(life, 'funded', 'funding-deep', facts, seen);
  }
  return life.state === 'funding-missing' ? fundingReturned(life, 'funded', facts) : life;
}

export function onFundingVanished(life: ChannelLife, facts: Facts): ChannelLife {
  const isBefore = life.state === 'offered' || life.state === 'joined' || life.state === 'funding-missing';
  return isBefore ? life : enter(life, 'funding-missing', 'funding-vanished', facts);
}

/** A rival that is final ends the matter; one that is not may still lose, so the funding is only missing. */
export function onFundingDoubleSpent(
  life: ChannelLife,
  txid: string,
  confirmations: number,
  facts: Facts,
): ChannelLife {
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

/** The funding will not come any more, and what was paid over it is lost with it. */
export function giveUp(
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
