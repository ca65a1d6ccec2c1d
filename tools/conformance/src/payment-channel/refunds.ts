import {
  bestEcdsa,
  derSignature,
  encodeRedeemScript,
  LOCK_UNIT_SECONDS,
  lockSequence,
  parseDerSignature,
  p2pkhScript,
  refundDigest,
  refundMaturityMtp,
  refundScriptSig,
  reversed,
  signedRefund,
  signingRule,
  unsignedRefund,
  type ChannelParameters,
  type RefundOptions,
} from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { compareKeys, compareNetworkSigHash } from './scripts.js';
import { compareTransaction } from './transactions.js';
import { channelOf, compareLock, lockOf } from './vector-channel.js';

const ecdsa = bestEcdsa();

/** `refunds[]`: the transaction in both versions, its digest and signature, and when the lock ends. */
export const runRefunds = (content: Fields, report: Report, file: string): void => {
  content.list('refunds').forEach((vector, at) => {
    report.run(`${file} refunds[${at}] ${vector.textOr('network', '')}`, () => compareRefund(vector));
  });
};

const compareRefund = (vector: Fields): string[] => {
  const diff = new Differences();
  const channel = channelOf(vector);
  const lock = lockOf(vector.fields('lockTime'));
  const redeemScript = encodeRedeemScript({ ...channel, lock });
  compareLock(diff, vector.fields('lockTime'));
  compareNetworkSigHash(diff, vector);
  compareKeys(diff, vector);
  diff.same('redeemScript', vector.bytes('redeemScript'), redeemScript);
  if (vector.has('sequence')) diff.same('sequence', vector.number('sequence'), lockSequence(lock));
  for (const version of [1, 2] as const) {
    const key = `signedTxVersion${version}`;
    if (vector.has(key)) compareVersion(diff, vector, vector.fields(key), channel, { version, lock, redeemScript });
  }
  if (lock.units === 'time' && Array.isArray(vector.raw('lock'))) compareMaturity(diff, vector, lock.counter);
  return diff.found;
};

const compareVersion = (
  diff: Differences,
  vector: Fields,
  expected: Fields,
  channel: ChannelParameters,
  options: RefundOptions & { readonly version: 1 | 2; readonly redeemScript: Uint8Array },
): void => {
  const what = `version ${options.version}`;
  const destination = p2pkhScript(vector.bytes('destinationPkHash'));
  const outputs = expected
    .list('outputs')
    .map((output) => ({ script: destination, valueSat: output.integer('value') }));
  const transaction = unsignedRefund(channel, outputs, options);
  const digest = refundDigest(channel, transaction, options);
  if (expected.has('sighash')) diff.same(`${what} sighash`, expected.bytes('sighash'), digest);
  const input = expected.list('inputs')[0];
  if (input === undefined) throw new VectorError(`${expected.path} has no input`);
  const scriptSig = input.bytes('scriptSig');
  const signature = scriptSig.subarray(1, scriptSig[0] ?? 0);
  const der = parseDerSignature(signature);
  diff.same(`${what} signature valid`, true, der.ok && ecdsa.verify(digest, der.compact, channel.buyerPublicKey));
  transaction.setInputScript(0, refundScriptSig(signature, options.redeemScript, signingRule(channel.network)));
  compareTransaction(diff, what, expected, Uint8Array.from(transaction.toBuffer()));
  if (vector.has('payorSk')) compareOwn(diff, vector.bytes('payorSk'), channel, outputs, digest, options);
};

/** Our own signature differs from the recorded one in its nonce only: its refund must be the one we would broadcast. */
const compareOwn = (
  diff: Differences,
  privateKey: Uint8Array,
  channel: ChannelParameters,
  outputs: readonly { readonly script: Uint8Array; readonly valueSat: bigint }[],
  digest: Uint8Array,
  options: RefundOptions & { readonly redeemScript: Uint8Array },
): void => {
  const own = signedRefund(channel, outputs, privateKey, ecdsa, options);
  const der = derSignature(ecdsa.sign(digest, privateKey));
  const transaction = unsignedRefund(channel, outputs, options);
  transaction.setInputScript(0, refundScriptSig(der, options.redeemScript, signingRule(channel.network)));
  diff.same('our own refund', Buffer.from(reversed(transaction.getHash(false))).toString('hex'), own.txid);
};

/** The reference measures from the time the funding transaction was mined, in seconds, and unlocks at the very second. */
const compareMaturity = (diff: Differences, vector: Fields, counter: number): void => {
  for (const lock of vector.list('lock')) {
    const minedAt = lock.number('contractMinedAt');
    const maturity = refundMaturityMtp(minedAt, counter);
    diff.same('lockedUntil', lock.number('lockedUntil'), maturity);
    diff.same('isLockedAt', lock.flag('isLockedAt'), lock.number('lockedUntil') < maturity);
    // Seconds are unsigned in the reference: one second before second 0 is far in the future, where nothing is locked.
    const before = maturity - 1;
    diff.same('isLockedOneSecondBefore', lock.flag('isLockedOneSecondBefore'), before >= 0 && before < maturity);
    diff.same('unit', LOCK_UNIT_SECONDS * counter, maturity - minedAt);
  }
};
