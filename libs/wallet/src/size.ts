import type { CoinKind } from './outputs.js';
import { outputBytes } from './outputs.js';

/**
 * Sizes of transactions before they are signed, at most: each signature is taken at its longest, 71 bytes of DER with
 * low S and one for the hash type, so that a fee reckoned from them never falls below its rate.
 */

/** Weight units of an input, witness included (BIP 141). P2PKH: 148 bytes. P2WPKH: 41 bytes and a witness of 108. */
const INPUT_WEIGHT: Record<CoinKind, number> = { p2pkh: 4 * 148, p2wpkh: 4 * 41 + 108 };

/** Virtual bytes of a transaction with these inputs and outputs. */
export function transactionVbytes(inputs: readonly CoinKind[], outputScripts: readonly Uint8Array[]): number {
  let weight = 4 * (8 + countBytes(inputs.length) + countBytes(outputScripts.length));
  for (const script of outputScripts) weight += 4 * outputBytes(script);
  for (const kind of inputs) weight += INPUT_WEIGHT[kind];
  if (inputs.includes('p2wpkh')) {
    // Marker and flag, and an empty witness for each other input.
    weight += 2 + inputs.filter((kind) => kind !== 'p2wpkh').length;
  }
  return Math.ceil(weight / 4);
}

/** Size of the number before a list. */
function countBytes(count: number): number {
  return count < 253 ? 1 : 3;
}
