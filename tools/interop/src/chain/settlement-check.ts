import { Transaction } from 'bitcoinjs-lib';
import { toHex, unsignedSettlement, type ChannelParameters } from '@seedfleet/payment-channel';

/**
 * What is wrong with a transaction as settlement k of a channel (payment channel §5): apart from the signatures it must
 * be the prescribed bytes, so version, input, sequence, scripts and every amount are compared at once. Undefined when
 * nothing is.
 */
export function settlementDifference(rawHex: string, channel: ChannelParameters, k: number): string | undefined {
  const found = Transaction.fromHex(rawHex);
  for (const input of found.ins) input.script = new Uint8Array(0);
  const foundHex = found.toHex();
  const expectedHex = toHex(unsignedSettlement(channel, k).bytes);
  return foundHex === expectedHex ? undefined : `found ${foundHex}, expected ${expectedHex}`;
}
