import { decodeTransaction, signedSettlement } from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';
import type { PlayLog } from './play-log.js';
import type { Script } from './script.js';

/** Compares how a scenario went as a whole: closed or not, payments, settlements. */
export const compareOutcome = (script: Script, log: PlayLog): string[] => {
  const diff = new Differences();
  diff.same('closed', script.closed, log.closed !== undefined);
  if (log.closed !== undefined && !script.closed)
    diff.note(`our reason to close: ${log.closed.code} at step ${log.closed.stimulus}`);
  const closedAt = script.steps.findIndex((step) => step.kind === 'closed');
  if (log.closed !== undefined && closedAt >= 0 && log.closed.stimulus > closedAt) {
    diff.note(`the reference had closed by step ${closedAt}, we closed at step ${log.closed.stimulus}`);
  }
  const event = script.reference === 'seller' ? 'payment_received' : 'payment_sent';
  const payments = script.events.filter((entry) => entry.has('event') && entry.text('event') === event);
  diff.same('payments', payments.length, log.payments);
  if (script.reference === 'seller') compareSettlements(diff, script, log);
  return diff.found;
};

const compareSettlements = (diff: Differences, script: Script, log: PlayLog): void => {
  const made = script.settlements.filter((settlement) => !settlement.has('error'));
  diff.same('settlements', made.length, log.settlements.length);
  made.forEach((settlement, at) => {
    const own = log.settlements[at];
    if (own === undefined) return;
    diff.same('settled k', settlement.number('numberOfPayments'), own.payments);
    diff.same('settled amount', settlement.integer('amountPaid'), own.paidSat);
    if (settlement.has('tx')) compareTransaction(diff, settlement.fields('tx'), log, own.payments, own.signature);
  });
};

/** The seller's nonce is random: its signature is taken from the recorded transaction, the rest must be ours. */
const compareTransaction = (
  diff: Differences,
  tx: Fields,
  log: PlayLog,
  payments: number,
  buyerDer: Uint8Array | undefined,
): void => {
  const recorded = tx.bytes('hex');
  const script = decodeTransaction(recorded)?.ins[0]?.script ?? new Uint8Array();
  const firstPush = script[0] ?? 0;
  const secondPush = script[firstPush + 1] ?? 0;
  const sellerDer = script.subarray(firstPush + 2, firstPush + 1 + secondPush);
  if (log.channel === undefined || buyerDer === undefined) {
    diff.note('settlement without a channel or signature of ours');
    return;
  }
  diff.same('settlement', recorded, signedSettlement(log.channel, payments, buyerDer, sellerDer).bytes);
};
