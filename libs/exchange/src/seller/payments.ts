import {
  verifyBuyerSignature,
  type Ecdsa,
  type SettlementTemplate,
  type SignatureError,
} from '@seedfleet/payment-channel';

import type { CloseCode } from '../codes.js';
import type { Delivery } from './delivery.js';

/**
 * Judges one payment and counts it if it is good. The expected number is always the last one + 1: no gaps, no
 * repetition, no batching (session behaviour §5), so a replayed signature is simply not valid for the next number.
 *
 * @returns undefined when the payment was good, else why the connection must close.
 */
export function receivePayment(
  delivery: Delivery,
  template: SettlementTemplate,
  signature: Uint8Array,
  ecdsa: Ecdsa,
): CloseCode | undefined {
  const number = delivery.paid + 1;
  if (number > delivery.requested) return 'payment-overflow';
  if (number > delivery.cap) return 'payment-beyond-cap';
  const verdict = verifyBuyerSignature(template, number, signature, ecdsa);
  if (!verdict.ok) return closeCode(verdict.code, number);
  delivery.paid = number;
  return undefined;
}

function closeCode(error: SignatureError, number: number): CloseCode {
  switch (error) {
    case 'high-s':
      return 'payment-high-s';
    case 'wrong-network':
      // Only a first payment tells of another chain; a buyer that signed ours before knows better.
      return number === 1 ? 'payment-wrong-network' : 'payment-signature-invalid';
    case 'invalid-signature':
      return 'payment-signature-invalid';
    case 'not-strict-der':
      return 'payment-encoding-invalid';
    case 'r-or-s-out-of-range':
      return 'payment-scalar-out-of-range';
    case 'beyond-k-pay':
    case 'k-out-of-range':
      return 'payment-beyond-cap';
  }
}
