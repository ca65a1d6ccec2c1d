import type { Transaction } from 'bitcoinjs-lib';
import type { SigningRule } from './network.js';
import { sighashByte } from './network.js';

/**
 * The digest that a signature of one input commits to, for transactions with any inputs and outputs (payment channel
 * specification §3). The hot path does not come here: see `prepareSettlement`.
 * @param script what the signature stands for: the redeem script of a P2SH input, the output script of a P2PKH input.
 * @param valueSat value of the output being spent; only the FORKID digest commits to it.
 */
export function inputDigest(
  transaction: Transaction,
  inputIndex: number,
  script: Uint8Array,
  valueSat: bigint,
  rule: SigningRule,
): Uint8Array {
  const digest =
    rule === 'legacy'
      ? transaction.hashForSignature(inputIndex, script, sighashByte(rule))
      : // The FORKID digest is that of BIP 143; the fork id rides in the upper bits of the hash type, and is zero.
        transaction.hashForWitnessV0(inputIndex, script, valueSat, sighashByte(rule));
  return Uint8Array.from(digest);
}
