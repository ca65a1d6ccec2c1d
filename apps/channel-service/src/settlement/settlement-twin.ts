import { decodeTransaction, equalBytes } from '@seedfleet/payment-channel';

/**
 * Whether another transaction pays what our settlement pays: the same outputs in the same order. A legacy txid covers the
 * signatures, and the buyer may sign its half anew, or anybody write ours in another way; then the twin is mined under
 * another txid, and the money is ours all the same (hazard of malleable transactions, BIP 62).
 */
export function isTwin(settlement: Uint8Array, other: Uint8Array): boolean {
  const ours = decodeTransaction(settlement);
  const theirs = decodeTransaction(other);
  if (ours === undefined || theirs === undefined || ours.outs.length !== theirs.outs.length) return false;
  return ours.outs.every(({ value, script }, place) => {
    const output = theirs.outs[place];
    return output !== undefined && output.value === value && equalBytes(output.script, script);
  });
}
