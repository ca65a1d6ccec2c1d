import { Transaction } from 'bitcoinjs-lib';
import { reversed } from './bytes.js';
import type { Outpoint } from './parameters.js';
import { p2pkhScript } from './scripts.js';

/**
 * Layout, size and fee of the funding transaction, "contract" on the wire: one P2SH output per seller in picked order,
 * then the change (payment channel specification §4). Choosing and signing inputs is the wallet's.
 */

/** One seller's output. */
export interface Commitment {
  /** P2SH output script, 23 bytes. */
  readonly script: Uint8Array;
  readonly valueSat: bigint;
}

export interface Change {
  /** Output script of the buyer's wallet. */
  readonly script: Uint8Array;
  readonly valueSat: bigint;
}

/** Size of a P2SH output: amount, length, script. */
const COMMITMENT_BYTES = 32;

/** Size of a P2PKH output. */
const P2PKH_OUTPUT_BYTES = 34;

/** Largest number of sellers in one funding transaction; more would pass the relay limit of 100,000 vbytes anyway. */
export const MAX_COMMITMENTS = 2_500;

/** The funding transaction before signing. Output i belongs to commitment i; `ready.outpoint.index` is that i. */
export function unsignedContract(
  inputs: readonly Outpoint[],
  commitments: readonly Commitment[],
  change?: Change,
): Transaction {
  if (commitments.length > MAX_COMMITMENTS) throw new RangeError('too many sellers in one funding transaction');
  const transaction = new Transaction();
  transaction.version = 1;
  for (const input of inputs) transaction.addInput(reversed(input.txid), input.index);
  for (const { script, valueSat } of commitments) transaction.addOutput(script, valueSat);
  if (change) transaction.addOutput(change.script, change.valueSat);
  return transaction;
}

/** Change to a P2PKH output. */
export function p2pkhChange(keyHash: Uint8Array, valueSat: bigint): Change {
  return { script: p2pkhScript(keyHash), valueSat };
}

/**
 * Bytes of the transaction apart from its inputs: 10 + 32·n + 34 for P2PKH change, and two more from 253 outputs on.
 * The reference counts one byte for the number of inputs, which holds below 253 of them.
 */
export function contractSizeBytes(commitments: number, hasChange: boolean): number {
  const outputs = commitments + (hasChange ? 1 : 0);
  const fixed = 10 + (outputs < 253 ? 0 : 2);
  return fixed + COMMITMENT_BYTES * commitments + (hasChange ? P2PKH_OUTPUT_BYTES : 0);
}

/** Fee for a size at a rate, satoshi, rounded up. 1 kB = 1000 bytes. */
export function feeSat(sizeBytes: number, ratePerKbSat: bigint): bigint {
  return (BigInt(sizeBytes) * ratePerKbSat + 999n) / 1000n;
}
