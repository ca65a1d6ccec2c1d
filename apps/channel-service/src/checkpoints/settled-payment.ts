import {
  decodeTransaction,
  equalBytes,
  prepareSettlement,
  reversed,
  settlementBuyerSignature,
  unsignedSettlement,
  verifyPayment,
  type ChannelParameters,
  type Ecdsa,
} from '@seedfleet/payment-channel';

/**
 * Which payment a transaction settles, by its outputs alone: whoever sent it, and however its signatures are written. Null
 * where it is no settlement of this channel that pays us, such as the buyer's refund.
 */
export function settledPayment(raw: Uint8Array, channel: ChannelParameters): number | null {
  const transaction = decodeTransaction(raw);
  const [input, further] = transaction?.ins ?? [];
  if (transaction === undefined || input === undefined || further !== undefined) return null;
  const { txid, index } = channel.fundingOutpoint;
  if (input.index !== index || !equalBytes(input.hash, reversed(txid))) return null;
  const [, earned] = transaction.outs;
  if (earned === undefined) return null;
  const paidSat = earned.value + channel.settlementFeeSat;
  if (channel.priceSat === 0n || paidSat % channel.priceSat !== 0n || paidSat > channel.fundingValueSat) return null;
  const k = Number(paidSat / channel.priceSat);
  const due = decodeTransaction(unsignedSettlement(channel, k).bytes)?.outs ?? [];
  const isDue =
    due.length === transaction.outs.length &&
    due.every(({ value, script }, place) => {
      const output = transaction.outs[place];
      return output !== undefined && output.value === value && equalBytes(output.script, script);
    });
  return isDue ? k : null;
}

/**
 * The signature by which the buyer made the payment that a settlement settles, DER. Null where it is not in the transaction:
 * its outputs alone prove nothing.
 */
export function paymentIn(raw: Uint8Array, channel: ChannelParameters, k: number, ecdsa: Ecdsa): Uint8Array | null {
  const script = decodeTransaction(raw)?.ins[0]?.script;
  const signature = script === undefined ? null : settlementBuyerSignature(script);
  if (signature === null) return null;
  return verifyPayment(prepareSettlement(channel), k, signature, ecdsa).ok ? signature : null;
}
