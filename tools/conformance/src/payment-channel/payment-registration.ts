import { bestEcdsa, prepareSettlement, verifyPayment } from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { findRule, PAYMENT_RULES } from '../rules.js';
import { compareKeys } from './scripts.js';
import { channelOf } from './vector-channel.js';

const ecdsa = bestEcdsa();

/** `paymentRegistration`: one channel, and signatures offered as the next payment. */
export const runPaymentRegistration = (content: Fields, report: Report, file: string): void => {
  if (!content.has('paymentRegistration')) return;
  const registration = content.fields('paymentRegistration');
  registration.list('cases').forEach((vector, at) => {
    report.run(`${file} paymentRegistration[${at}] ${vector.textOr('description', '')}`, () => {
      // A case may bring its own channel; most share the section's.
      const channel = vector.has('channel') ? vector.fields('channel') : registration.fields('channel');
      return compareCase(vector, channel, report);
    });
  });
};

const compareCase = (vector: Fields, channelFields: Fields, report: Report): string[] => {
  const diff = new Differences();
  compareKeys(diff, channelFields);
  const channel = channelOf(channelFields);
  const before = vector.number('payeePaymentsBefore');
  const verdict = verifyPayment(prepareSettlement(channel), before + 1, vector.bytes('signature'), ecdsa);
  const accepted = vector.flag('accepted');
  if (accepted && !verdict.ok) {
    const rule = findRule(PAYMENT_RULES, { k: before + 1, ...channel });
    if (rule !== undefined) {
      report.useRule(rule.id);
      return diff.found;
    }
  }
  diff.same('accepted', accepted, verdict.ok);
  if (!verdict.ok && accepted) diff.note(`our reason: ${verdict.code}`);
  diff.same('payeePaymentsAfter', vector.number('payeePaymentsAfter'), verdict.ok ? before + 1 : before);
  return diff.found;
};
