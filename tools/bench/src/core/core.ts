import { print } from '../measure.js';
import { codec } from './codec.js';
import { pieceCopies } from './piece-copies.js';
import { sellerStep } from './seller-step.js';

/** The protocol core: what a payment, a control message and a piece cost. */
export const core = (): boolean => {
  const parts = [
    ['A payment at the seller', sellerStep],
    ['Control messages', codec],
    ['Pieces', pieceCopies],
  ] as const;
  let reached = true;
  for (const [title, run] of parts) {
    print(`\n${title}`);
    reached = run() && reached;
  }
  return reached;
};
