import { Transaction } from 'bitcoinjs-lib';
import { isCollectable, netSat, paidSat } from './amounts.js';
import { reversed, toHex } from './bytes.js';
import { inputDigest } from './digest.js';
import type { SigningRule } from './network.js';
import { signingRule } from './network.js';
import type { ChannelParameters } from './parameters.js';
import { redeemScriptOf } from './redeem-script.js';
import { settlementScriptSig } from './script-sig.js';
import { p2pkhScript } from './scripts.js';

/** Size of a settlement with a seller output: both signatures have 70 or 71 bytes, seldom fewer. */
export const MAX_SETTLEMENT_BYTES = 347;

/** Size of a settlement without a seller output (k below kMin), at most. */
export const MAX_SETTLEMENT_WITHOUT_SELLER_BYTES = 313;

const FINAL_SEQUENCE = 0xffff_ffff;

/** A transaction ready to store or to broadcast. */
export interface RawTransaction {
  readonly bytes: Uint8Array;
  /** Display order, hex. */
  readonly txid: string;
}

/**
 * Settlement k without signatures (payment channel specification §5): version 1, one final input, the buyer's change
 * first and always, the seller's net second where k·P > 546 + F.
 * Throws RangeError where the funding value does not cover k payments, as the reference does.
 */
export function unsignedSettlement(channel: ChannelParameters, k: number): RawTransaction {
  return raw(settlementTransaction(channel, k));
}

/**
 * Settlement k with both signatures, strict DER without sighash bytes. The signatures are not verified here.
 * @param redeemScript for scripts with a block lock, which only the reference's vectors have.
 */
export function signedSettlement(
  channel: ChannelParameters,
  k: number,
  buyerDer: Uint8Array,
  sellerDer: Uint8Array,
  redeemScript: Uint8Array = redeemScriptOf(channel),
): RawTransaction {
  const transaction = settlementTransaction(channel, k);
  transaction.setInputScript(0, settlementScriptSig(buyerDer, sellerDer, redeemScript, signingRule(channel.network)));
  return raw(transaction);
}

/**
 * The digest of settlement k, by way of a transaction object: the plain form that the prepared template is tested
 * against. Use `prepareSettlement` where many payments are verified.
 */
export function settlementDigest(
  channel: ChannelParameters,
  k: number,
  rule: SigningRule = signingRule(channel.network),
  redeemScript: Uint8Array = redeemScriptOf(channel),
): Uint8Array {
  return inputDigest(settlementTransaction(channel, k), 0, redeemScript, channel.fundingValueSat, rule);
}

function settlementTransaction(channel: ChannelParameters, k: number): Transaction {
  if (!Number.isSafeInteger(k) || k < 0) throw new RangeError('payment number is not a non-negative safe integer');
  const changeSat = channel.fundingValueSat - paidSat(k, channel.priceSat);
  if (changeSat < 0n) throw new RangeError('the funding value does not cover this payment');
  const transaction = new Transaction();
  transaction.version = 1;
  const { txid, index } = channel.fundingOutpoint;
  transaction.addInput(reversed(txid), index, FINAL_SEQUENCE);
  transaction.addOutput(p2pkhScript(channel.buyerKeyHash), changeSat);
  if (isCollectable(k, channel.priceSat, channel.settlementFeeSat)) {
    const earnedSat = netSat(k, channel.priceSat, channel.settlementFeeSat);
    transaction.addOutput(p2pkhScript(channel.sellerKeyHash), earnedSat);
  }
  return transaction;
}

/** Bytes and txid of a finished transaction. */
export function raw(transaction: Transaction): RawTransaction {
  return { bytes: Uint8Array.from(transaction.toBuffer()), txid: toHex(reversed(transaction.getHash(false))) };
}
