import {
  decodeTransaction,
  equalBytes,
  reversed,
  unsignedSettlement,
  type ChannelParameters,
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
