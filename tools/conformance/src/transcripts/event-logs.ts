import {
  bestEcdsa,
  decodeTransaction,
  parseDerSignature,
  refundDigest,
  refundScriptSig,
  redeemScriptOf,
  signedSettlement,
  signingRule,
  toHex,
  unsignedRefund,
  type ChannelParameters,
} from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import type { CapturedChannel } from './channels.js';

/** What both sides' own logs say about a channel: the seller's settlement, the buyer's refund. */
export const runEventLogs = (
  channel: CapturedChannel,
  parameters: ChannelParameters,
  logs: readonly (readonly Fields[])[],
  report: Report,
  file: string,
): void => {
  for (const event of logs.flat()) {
    if (event.text('event') === 'settlement' && isFundedBy(event.fields('anchor'), parameters)) {
      report.run(`${file} ${channel.name} settlement`, () => compareSettlement(event, channel, parameters));
    }
    if (event.text('event') !== 'contract') continue;
    for (const anchor of event.list('anchors').filter((candidate) => isFundedBy(candidate, parameters))) {
      if (anchor.has('refundTx')) {
        report.run(`${file} ${channel.name} refund`, () => compareRefund(anchor.fields('refundTx'), parameters));
      }
    }
  }
};

const isFundedBy = (anchor: Fields, { fundingOutpoint }: ChannelParameters): boolean =>
  anchor.text('txid') === toHex(fundingOutpoint.txid) && anchor.number('index') === fundingOutpoint.index;

/** Pushes of an input script that are no longer than 75 bytes. */
const shortPushes = (script: Uint8Array): Uint8Array[] => {
  const pushes: Uint8Array[] = [];
  for (let at = 0; at < script.length;) {
    const length = script[at] ?? 0;
    if (length < 1 || length > 75) break;
    pushes.push(script.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return pushes;
};

const inputScript = (transaction: Uint8Array, path: string): Uint8Array => {
  const script = decodeTransaction(transaction)?.ins[0]?.script;
  if (script === undefined) throw new VectorError(`${path} is no transaction`);
  return script;
};

const compareSettlement = (event: Fields, channel: CapturedChannel, parameters: ChannelParameters): string[] => {
  const diff = new Differences();
  const k = event.number('numberOfPayments');
  diff.same('amountPaid', event.integer('amountPaid'), BigInt(k) * parameters.priceSat);
  const payment = channel.payments[k - 1];
  diff.same('lastPayorSignature', event.bytes('lastPayorSignature'), payment);
  if (!event.has('tx') || payment === undefined) return diff.found;
  const recorded = event.fields('tx').bytes('hex');
  const seller = shortPushes(inputScript(recorded, event.path))[1] ?? new Uint8Array();
  const settlement = signedSettlement(parameters, k, payment, seller.subarray(0, -1));
  diff.same('tx.hex', recorded, settlement.bytes);
  if (event.fields('tx').has('txid')) diff.same('tx.txid', event.fields('tx').text('txid'), settlement.txid);
  return diff.found;
};

const compareRefund = (refundTx: Fields, parameters: ChannelParameters): string[] => {
  const diff = new Differences();
  const recorded = refundTx.bytes('hex');
  const transaction = decodeTransaction(recorded);
  const signature = shortPushes(inputScript(recorded, refundTx.path))[0]?.subarray(0, -1) ?? new Uint8Array();
  const outputs = (transaction?.outs ?? []).map(({ script, value }) => ({ script, valueSat: value }));
  const own = unsignedRefund(parameters, outputs);
  const der = parseDerSignature(signature);
  const digest = refundDigest(parameters, own);
  const valid = der.ok && bestEcdsa().verify(digest, der.compact, parameters.buyerPublicKey);
  diff.same('signature valid', true, valid);
  own.setInputScript(0, refundScriptSig(signature, redeemScriptOf(parameters), signingRule(parameters.network)));
  diff.same('refund', recorded, Uint8Array.from(own.toBuffer()));
  return diff.found;
};
