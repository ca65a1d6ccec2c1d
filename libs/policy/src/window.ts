import type { Policy } from './policy.js';

/** How much may be delivered and not yet durably paid on one connection. */

/** Pieces the window holds after so many durable payments: one at first, one more per four payments, at most four. */
export function windowPieces(durablePayments: number, policy: Policy): number {
  const { startPieces, paymentsPerStep, maxPieces } = policy.window;
  return Math.min(maxPieces, startPieces + Math.floor(durablePayments / paymentsPerStep));
}

/** Whether another piece fits the window, in pieces and in bytes. One piece always fits an empty window. */
export function windowAdmits(
  open: { readonly unpaidPieces: number; readonly unpaidBytes: number; readonly durablePayments: number },
  nextPieceBytes: number,
  policy: Policy,
): boolean {
  if (open.unpaidPieces === 0) return true;
  if (open.unpaidPieces >= windowPieces(open.durablePayments, policy)) return false;
  return open.unpaidBytes + nextPieceBytes <= policy.window.maxBytes;
}
