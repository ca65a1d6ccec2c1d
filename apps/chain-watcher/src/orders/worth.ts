import { parseTransaction, type RawTransaction } from '@seedfleet/bitcoin-node';
import type { orderRefusal } from '@seedfleet/bus';
import type { z } from 'zod';

export type Refusal = z.output<typeof orderRefusal>;

/** A transaction of an order, and the output that it is to spend. */
export interface OrderedTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly output: { readonly txid: string; readonly vout: number };
}

/** The transaction of an order; null where the bytes are not it, or where it does not spend the order's output. */
export function orderedTransaction({ txid, raw, output }: OrderedTransaction): RawTransaction | null {
  const transaction = parseTransaction(raw);
  const spends = transaction?.inputs.some((input) => input.txid === output.txid && input.vout === output.vout) === true;
  return transaction?.txid === txid && spends ? transaction : null;
}

/**
 * Why a holder keeps the transaction that it has against another one of the same order; null where it does not. It has no
 * key and no price, but the first output of a settlement is the buyer's change: the less that is, the later the payment.
 * What the seller gets says less, because a later payment at a higher fee may give it less.
 * @param givesUp the transaction that the one who offers has read and gives up, if any
 */
export function refusal(held: OrderedTransaction, offered: OrderedTransaction, givesUp: string | null): Refusal | null {
  if (givesUp === held.txid || offered.txid === held.txid) return null;
  const isSameOutput = held.output.txid === offered.output.txid && held.output.vout === offered.output.vout;
  const has = isSameOutput ? orderedTransaction(held) : null;
  const [change, ...paid] = has?.outputs ?? [];
  // What is damaged, or spends what is not asked for any more, is worth nothing.
  if (change === undefined) return null;
  const [otherChange, ...otherPaid] = orderedTransaction(offered)?.outputs ?? [];
  if (otherChange === undefined || !isSame(change.script, otherChange.script)) return 'pays-others';
  if (otherChange.valueSat > change.valueSat) return 'pays-less';
  const isSamePaid =
    paid.length === otherPaid.length && paid.every(({ script }, place) => isSame(script, otherPaid[place]?.script));
  return isSamePaid ? null : 'pays-others';
}

/**
 * What a settlement brings in, satoshi as decimal digits, and on which script, hex: its second output. Empty where there is
 * none, or nobody says what it looks like.
 */
export function earnedBy(raw: Uint8Array | null): { readonly earnedSat?: string; readonly earnedScript?: string } {
  const [, earned] = raw === null ? [] : (parseTransaction(raw)?.outputs ?? []);
  if (earned === undefined) return {};
  return { earnedSat: earned.valueSat.toString(), earnedScript: Buffer.from(earned.script).toString('hex') };
}

const isSame = (one: Uint8Array, other: Uint8Array | undefined): boolean =>
  other !== undefined && Buffer.compare(one, other) === 0;
