import { decodeTransaction, reversed, toHex } from '@seedfleet/payment-channel';
import type { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';

/** Compares a raw transaction with a vector's description of it, part by part where the parts are given. */
export const compareTransaction = (diff: Differences, what: string, expected: Fields, bytes: Uint8Array): void => {
  const transaction = decodeTransaction(bytes);
  if (transaction === undefined) {
    diff.note(`${what}: our own bytes are no transaction: ${toHex(bytes)}`);
    return;
  }
  if (expected.has('hex')) diff.same(`${what}.hex`, expected.bytes('hex'), bytes);
  if (expected.has('size')) diff.same(`${what}.size`, expected.number('size'), bytes.length);
  if (expected.has('txid')) diff.same(`${what}.txid`, expected.bytes('txid'), reversed(transaction.getHash(false)));
  if (expected.has('version')) diff.same(`${what}.version`, expected.number('version'), transaction.version);
  if (expected.has('lockTime')) diff.same(`${what}.lockTime`, expected.number('lockTime'), transaction.locktime);
  if (expected.has('inputs')) {
    diff.same(`${what}.inputs`, expected.list('inputs').length, transaction.ins.length);
    expected.list('inputs').forEach((input, at) => {
      const own = transaction.ins[at];
      if (own === undefined) return;
      diff.same(`${what}.inputs[${at}].txid`, input.bytes('txid'), reversed(own.hash));
      diff.same(`${what}.inputs[${at}].index`, input.number('index'), own.index);
      diff.same(`${what}.inputs[${at}].sequence`, input.number('sequence'), own.sequence);
      diff.same(`${what}.inputs[${at}].scriptSig`, input.bytes('scriptSig'), own.script);
    });
  }
  if (expected.has('outputs')) compareOutputs(diff, `${what}.outputs`, expected.list('outputs'), transaction.outs);
};

export const compareOutputs = (
  diff: Differences,
  what: string,
  expected: readonly Fields[],
  actual: readonly { readonly script: Uint8Array; readonly value: bigint }[],
): void => {
  diff.same(what, expected.length, actual.length);
  expected.forEach((output, at) => {
    const own = actual[at];
    if (own === undefined) return;
    diff.same(`${what}[${at}].value`, output.integer('value'), own.value);
    diff.same(`${what}[${at}].scriptPubKey`, output.bytes('scriptPubKey'), own.script);
  });
};
