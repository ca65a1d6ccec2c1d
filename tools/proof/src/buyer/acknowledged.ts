import { DEFAULT_POLICY, windowPieces } from '@seedfleet/policy';

/**
 * The payments that a seller has acknowledged by sending so many pieces: the fewest durable payments whose window lets
 * that many pieces leave. Whatever is killed afterwards, the settlement must be for at least this payment.
 * @param pieces received from one seller
 */
export function acknowledgedPayments(pieces: number): number {
  let durable = 0;
  while (durable + windowPieces(durable, DEFAULT_POLICY) < pieces) durable += 1;
  return durable;
}
