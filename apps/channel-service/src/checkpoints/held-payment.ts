import {
  decodeTransaction,
  equalBytes,
  parseDerSignature,
  prepareSettlement,
  reversed,
  settlementSignatures,
  signedSettlement,
  type ChannelParameters,
  type Ecdsa,
} from '@seedfleet/payment-channel';
import { paymentIn, settledPayment } from './settled-payment.js';

/** A payment that a settlement proves: its number, and the buyer's signature, DER. */
export interface ProvenPayment {
  readonly k: bigint;
  readonly signature: Uint8Array;
}

/** Why what a holder says that it holds proves no payment of a channel. */
export type HeldFault =
  /** The bytes are no transaction. */
  | 'held-unreadable'
  /** It spends another output than the channel's, or more than that. */
  | 'held-other-output'
  /** It pays otherwise than a settlement of the channel does. */
  | 'held-no-settlement'
  /** The buyer's signature is missing or false, or the payment is one that the channel can't hold. */
  | 'held-unproven';

export type HeldPayment = (ProvenPayment & { readonly ok: true }) | { readonly ok: false; readonly code: HeldFault };

/** Reads a settlement that somebody else holds, trusting nothing in it but the buyer's signature. */
export function heldPayment(raw: Uint8Array, channel: ChannelParameters, ecdsa: Ecdsa): HeldPayment {
  const transaction = decodeTransaction(raw);
  if (transaction === undefined) return { ok: false, code: 'held-unreadable' };
  const { txid, index } = channel.fundingOutpoint;
  const [input, further] = transaction.ins;
  const isOurs = input?.index === index && further === undefined && equalBytes(input.hash, reversed(txid));
  if (!isOurs) return { ok: false, code: 'held-other-output' };
  const k = settledPayment(raw, channel);
  if (k === null) return { ok: false, code: 'held-no-settlement' };
  const signature = paymentIn(raw, channel, k, ecdsa);
  return signature === null ? { ok: false, code: 'held-unproven' } : { ok: true, k: BigInt(k), signature };
}

/** Whether it is the canonical settlement of a payment with both signatures good: nodes take it as it is. */
export function isWholeSettlement(raw: Uint8Array, channel: ChannelParameters, ecdsa: Ecdsa): boolean {
  const held = heldPayment(raw, channel, ecdsa);
  const script = decodeTransaction(raw)?.ins[0]?.script;
  const seller = script === undefined ? undefined : settlementSignatures(script)?.seller;
  if (!held.ok || seller === undefined) return false;
  const signature = parseDerSignature(seller);
  const digest = prepareSettlement(channel).digest(Number(held.k));
  if (!signature.ok || !ecdsa.verify(digest, signature.compact, channel.sellerPublicKey)) return false;
  return equalBytes(signedSettlement(channel, Number(held.k), held.signature, seller).bytes, raw);
}
