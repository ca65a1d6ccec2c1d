import {
  bestEcdsa,
  encodeRedeemScript,
  isCollectable,
  parseDerSignature,
  prepareSettlement,
  settlementDigest,
  settlementMiningFeeSat,
  signedSettlement,
  unsignedSettlement,
  verifyBuyerSignature,
  verifyPayment,
  type ChannelParameters,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { findRule, PAYMENT_RULES } from '../rules.js';
import { compareKeys, compareNetworkSigHash } from './scripts.js';
import { compareTransaction } from './transactions.js';
import { channelOf, compareLock, lockOf } from './vector-channel.js';

const ecdsa = bestEcdsa();

/** `settlements[]`: both transactions, the digest, and whether the recorded signatures count as payment k. */
export const runSettlements = (content: Fields, report: Report, file: string): void => {
  content.list('settlements').forEach((vector, at) => {
    const k = vector.textOr('numberOfPayments', '?');
    const name = `${file} settlements[${at}] ${vector.textOr('network', '')} k=${k} ${vector.textOr('description', '')}`;
    report.run(name, () => compareSettlement(vector, report));
  });
};

const compareSettlement = (vector: Fields, report: Report): string[] => {
  const diff = new Differences();
  const channel = channelOf(vector);
  const k = vector.number('numberOfPayments');
  const redeemScript = encodeRedeemScript({ ...channel, lock: lockOf(vector.fields('lockTime')) });
  compareLock(diff, vector.fields('lockTime'));
  compareNetworkSigHash(diff, vector);
  compareKeys(diff, vector);
  diff.same('redeemScript', vector.bytes('redeemScript'), redeemScript);
  const template = prepareSettlement(channel, redeemScript);
  if (vector.textOr('verdict', 'ok') !== 'ok') {
    diff.same(
      'can be built',
      false,
      canBuild(() => unsignedSettlement(channel, k)),
    );
    diff.same(
      'has a digest',
      false,
      canBuild(() => template.digest(k)),
    );
    const verdict = verifyPayment(template, k, new Uint8Array(), ecdsa);
    diff.same('verdict on payment', 'beyond-k-pay', verdict.ok ? 'ok' : verdict.code);
    return diff.found;
  }
  compareAmounts(diff, vector, channel, k);
  if (vector.has('unsigned'))
    compareTransaction(diff, 'unsigned', vector.fields('unsigned'), unsignedSettlement(channel, k).bytes);
  const digest = template.digest(k);
  if (vector.has('sighash')) diff.same('sighash', vector.bytes('sighash'), digest);
  diff.same('digest without template', digest, settlementDigest(channel, k, template.rule, redeemScript));
  compareSignatures(diff, vector, template, digest);
  if (vector.has('payeeRegistersPayment')) comparePayment(diff, vector, template, k, report);
  return diff.found;
};

const canBuild = (build: () => unknown): boolean => {
  try {
    build();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

const compareAmounts = (diff: Differences, vector: Fields, channel: ChannelParameters, k: number): void => {
  const { priceSat, settlementFeeSat } = channel;
  if (vector.has('paid')) diff.same('paid', vector.integer('paid'), BigInt(k) * priceSat);
  if (vector.has('implicitFee')) {
    diff.same('implicitFee', vector.integer('implicitFee'), settlementMiningFeeSat(k, priceSat, settlementFeeSat));
  }
  if (vector.has('payeeOutputIncluded')) {
    diff.same('payeeOutputIncluded', vector.flag('payeeOutputIncluded'), isCollectable(k, priceSat, settlementFeeSat));
  }
};

/** The reference's nonces are random: its signatures are verified, and put into our transaction to compare the bytes. */
const compareSignatures = (
  diff: Differences,
  vector: Fields,
  template: SettlementTemplate,
  digest: Uint8Array,
): void => {
  const { channel, redeemScript } = template;
  const keys = { payor: channel.buyerPublicKey, payee: channel.sellerPublicKey } as const;
  for (const party of ['payor', 'payee'] as const) {
    if (!vector.has(`${party}Signature`)) continue;
    const der = parseDerSignature(vector.bytes(`${party}Signature`));
    const valid = der.ok && ecdsa.verify(digest, der.compact, keys[party]);
    diff.same(`${party}SignatureValid`, vector.flagOr(`${party}SignatureValid`, true), valid);
  }
  if (!vector.has('signed')) return;
  const buyerDer = vector.bytes('payorSignature');
  const sellerDer = vector.bytes('payeeSignature');
  const settlement = signedSettlement(channel, vector.number('numberOfPayments'), buyerDer, sellerDer, redeemScript);
  compareTransaction(diff, 'signed', vector.fields('signed'), settlement.bytes);
};

const comparePayment = (
  diff: Differences,
  vector: Fields,
  template: SettlementTemplate,
  k: number,
  report: Report,
): void => {
  const der = vector.bytes('payorSignature');
  const registers = vector.flag('payeeRegistersPayment');
  const signature = verifyBuyerSignature(template, k, der, ecdsa);
  diff.same('payeeRegistersPayment (signature)', registers, signature.ok);
  const payment = verifyPayment(template, k, der, ecdsa);
  if (payment.ok === registers) {
    if (vector.has('payeeNumberOfPaymentsAfter') && payment.ok) {
      diff.same('payeeNumberOfPaymentsAfter', vector.number('payeeNumberOfPaymentsAfter'), k);
    }
    return;
  }
  const rule = payment.ok ? undefined : findRule(PAYMENT_RULES, { k, ...template.channel });
  if (rule === undefined) diff.same('payeeRegistersPayment', registers, payment.ok);
  else report.useRule(rule.id);
};
