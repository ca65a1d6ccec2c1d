import { kCap, paidSat } from './amounts.js';
import type { DerError } from './der.js';
import { derSignature, parseDerSignature } from './der.js';
import type { Ecdsa } from './ecdsa.js';
import { otherRule } from './network.js';
import type { SettlementTemplate } from './settlement-template.js';

/** Making and checking payments: payment k is a signature by the buyer over settlement k. */

export type SignatureError =
  | DerError
  /** k is not a positive safe integer. */
  | 'k-out-of-range'
  /** k·P exceeds the funding value: there is no such settlement. */
  | 'beyond-k-pay'
  /** The signature is good for this k under the other signing rule only: the buyer is on another chain. Not an attack. */
  | 'wrong-network'
  /** Not a signature of the buyer's key over settlement k. */
  | 'invalid-signature';

export type PaymentError =
  | SignatureError
  /** The change output of settlement k would be dust, so the network would not relay it. */
  | 'beyond-k-cap';

export type PaymentVerdict = { readonly ok: true } | { readonly ok: false; readonly code: PaymentError };
export type SignatureVerdict = { readonly ok: true } | { readonly ok: false; readonly code: SignatureError };

const GOOD = { ok: true } as const;

/**
 * Whether these bytes are payment k of the channel and worth counting: everything {@link verifyBuyerSignature} checks,
 * and that settlement k can be relayed. The seller's check of every `payment` message.
 * @param der the signature as received, without a sighash byte.
 */
export function verifyPayment(template: SettlementTemplate, k: number, der: Uint8Array, ecdsa: Ecdsa): PaymentVerdict {
  const covered = isCovered(template, k);
  if (covered.ok && !isRelayable(template, k)) return { ok: false, code: 'beyond-k-cap' };
  return covered.ok ? verifyBuyerSignature(template, k, der, ecdsa) : covered;
}

/**
 * Whether these bytes sign settlement k: a strict DER, low-S signature by the buyer's key. This is all that the
 * reference checks: it also accepts payments between kCap and kPay, whose settlement no node relays.
 */
export function verifyBuyerSignature(
  template: SettlementTemplate,
  k: number,
  der: Uint8Array,
  ecdsa: Ecdsa,
): SignatureVerdict {
  const covered = isCovered(template, k);
  if (!covered.ok) return covered;
  const { buyerPublicKey } = template.channel;
  const signature = parseDerSignature(der);
  if (!signature.ok) return signature;
  const { compact } = signature;
  if (ecdsa.verify(template.digest(k), compact, buyerPublicKey)) return GOOD;
  const foreign = template.digest(k, otherRule(template.rule));
  const code = ecdsa.verify(foreign, compact, buyerPublicKey) ? 'wrong-network' : 'invalid-signature';
  return { ok: false, code };
}

/**
 * A strict DER, low-S signature over settlement k, without a sighash byte: by the buyer it is payment k, by the seller
 * the second half of the settlement. Throws RangeError where the funding value does not cover k payments.
 */
export function signSettlement(
  template: SettlementTemplate,
  k: number,
  privateKey: Uint8Array,
  ecdsa: Ecdsa,
): Uint8Array {
  return derSignature(ecdsa.sign(template.digest(k), privateKey));
}

function isCovered(template: SettlementTemplate, k: number): SignatureVerdict {
  if (!Number.isSafeInteger(k) || k < 1) return { ok: false, code: 'k-out-of-range' };
  const { priceSat, fundingValueSat } = template.channel;
  return paidSat(k, priceSat) > fundingValueSat ? { ok: false, code: 'beyond-k-pay' } : GOOD;
}

function isRelayable(template: SettlementTemplate, k: number): boolean {
  const { channel } = template;
  // At price zero the change never shrinks, so there is no cap to exceed.
  if (channel.priceSat === 0n) return true;
  const cap = kCap(channel.fundingValueSat, channel.priceSat);
  return cap.ok && k <= cap.k;
}
