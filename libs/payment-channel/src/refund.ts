import { Transaction } from 'bitcoinjs-lib';
import { reversed } from './bytes.js';
import { derSignature } from './der.js';
import { inputDigest } from './digest.js';
import type { Ecdsa } from './ecdsa.js';
import type { RelativeLock } from './lock.js';
import { lockSequence, timeLock } from './lock.js';
import { signingRule } from './network.js';
import type { ChannelParameters } from './parameters.js';
import { redeemScriptOf } from './redeem-script.js';
import { refundScriptSig } from './script-sig.js';
import type { RawTransaction } from './settlement.js';
import { raw } from './settlement.js';

/** The buyer's way back to the funding output once the lock is over (payment channel specification §6). */

/** Size of a refund with one P2PKH output: the signature has 70 or 71 bytes. */
export const MAX_REFUND_BYTES = 240;

type Refundable = Pick<
  ChannelParameters,
  'network' | 'lockUnits' | 'fundingValueSat' | 'fundingOutpoint' | 'buyerPublicKey' | 'sellerPublicKey'
>;

export interface RefundOutput {
  readonly script: Uint8Array;
  readonly valueSat: bigint;
}

export interface RefundOptions {
  /** OP_CHECKSEQUENCEVERIFY fails below version 2. Version 1 exists only because the reference's vectors have it. */
  readonly version?: 1 | 2;
  /** For block locks, which only the reference's vectors have. */
  readonly lock?: RelativeLock;
  readonly redeemScript?: Uint8Array;
}

/** The refund without its signature: one input whose sequence number states the lock, any outputs. */
export function unsignedRefund(
  channel: Refundable,
  outputs: readonly RefundOutput[],
  options: RefundOptions = {},
): Transaction {
  const transaction = new Transaction();
  transaction.version = options.version ?? 2;
  const { txid, index } = channel.fundingOutpoint;
  transaction.addInput(reversed(txid), index, lockSequence(options.lock ?? timeLock(channel.lockUnits)));
  for (const { script, valueSat } of outputs) transaction.addOutput(script, valueSat);
  return transaction;
}

/** What the buyer signs. */
export function refundDigest(channel: Refundable, unsigned: Transaction, options: RefundOptions = {}): Uint8Array {
  const redeemScript = options.redeemScript ?? redeemScriptOf(channel);
  return inputDigest(unsigned, 0, redeemScript, channel.fundingValueSat, signingRule(channel.network));
}

/** The refund, signed and ready to broadcast once it has matured (`refundMaturityMtp`). */
export function signedRefund(
  channel: Refundable,
  outputs: readonly RefundOutput[],
  buyerPrivateKey: Uint8Array,
  ecdsa: Ecdsa,
  options: RefundOptions = {},
): RawTransaction {
  const transaction = unsignedRefund(channel, outputs, options);
  const der = derSignature(ecdsa.sign(refundDigest(channel, transaction, options), buyerPrivateKey));
  const redeemScript = options.redeemScript ?? redeemScriptOf(channel);
  transaction.setInputScript(0, refundScriptSig(der, redeemScript, signingRule(channel.network)));
  return raw(transaction);
}
