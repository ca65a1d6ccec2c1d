import { freeze, awaitPayment } from './closing.js';
import { enter } from './enter.js';
import type { ChannelLife, Facts, Reason } from './life.js';
import { decideSettlement, isSettled } from './settle-decision.js';
import type { ChannelState } from './states.js';

/** The settlement from its storing to its burial, and the buyer's refund in its place. */

export function onSettlementStored(life: ChannelLife, txid: string, facts: Facts): ChannelLife {
  // At most one settlement is ever broadcast, and only for a frozen k.
  if (life.frozenK === undefined || life.settlementTxid !== undefined) return life;
  if (life.state === 'closing') return enter(life, 'settling', 'settlement-stored', facts, { settlementTxid: txid });
  return life.state === 'refund-seen' || life.state === 'funding-missing' ? { ...life, settlementTxid: txid } : life;
}

export function onSettlementRejected(life: ChannelLife, code: string, facts: Facts): ChannelLife {
  if (life.state !== 'settling' && life.state !== 'settle-rejected') return life;
  const rejections = (life.rejections ?? 0) + 1;
  // The clock starts anew with each refusal: the pause before the next attempt is measured from it.
  const more = { detail: code, rejections, enteredAtMs: facts.nowMs };
  return enter(life, 'settle-rejected', 'settlement-rejected', facts, more);
}

/** @param twinTxid where what is mined has the settlement's outputs and another txid */
export function onSettlementMined(
  life: ChannelLife,
  confirmations: number,
  facts: Facts,
  twinTxid?: string,
): ChannelLife {
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

export function settlingAgain(life: ChannelLife, reason: Reason, facts: Facts): ChannelLife {
  const { rejections: _overcome, ...rest } = life;
  return enter(rest, 'settling', reason, facts);
}

/** Where a channel goes on whose service has ended: with its settlement if there is one, else before it. */
export function backToSettling(life: ChannelLife, reason: Reason, facts: Facts): ChannelLife {
  return life.settlementTxid === undefined ? enter(life, 'closing', reason, facts) : settlingAgain(life, reason, facts);
}

export function onForeignSpend(life: ChannelLife, txid: string, confirmations: number, facts: Facts): ChannelLife {
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

export function settlementDecision(life: ChannelLife, facts: Facts) {
  const { belowMin, minRelaySatPerKvb } = facts.rules;
  return decideSettlement({ ...facts, k: life.frozenK ?? 0 }, belowMin, minRelaySatPerKvb);
}

function isSettlingState(state: ChannelState): boolean {
  return state === 'closing' || state === 'settling' || state === 'settle-rejected';
}
