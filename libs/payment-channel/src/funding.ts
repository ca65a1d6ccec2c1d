import { Transaction } from 'bitcoinjs-lib';
import { equalBytes, reversed } from './bytes.js';
import type { ChannelParameters } from './parameters.js';
import { redeemScriptOf } from './redeem-script.js';
import { p2shScript } from './scripts.js';

/** Checking that a funding transaction really holds what `ready` said (payment channel specification §8, 3–5). */

export type FundingOutputError =
  /** The bytes are not one whole transaction. */
  | { readonly code: 'transaction-undecodable' }
  /** The transaction has another txid than the outpoint names. */
  | { readonly code: 'txid-mismatch' }
  /** The transaction has no output of that index. */
  | { readonly code: 'no-such-output'; readonly outputs: number }
  /** The output is no P2SH at all. */
  | { readonly code: 'not-p2sh' }
  /** The output commits to these keys, but to another lock. */
  | { readonly code: 'lock-mismatch'; readonly lockUnits: number }
  /** The output is a P2SH of some other script: other keys, or not a channel. It is not ours to claim. */
  | { readonly code: 'script-mismatch' }
  /** The output is ours but holds another amount: settlements would overspend, or not verify on chain. */
  | { readonly code: 'value-mismatch'; readonly valueSat: bigint };

export type FundingOutputResult = { readonly ok: true } | { readonly ok: false; readonly error: FundingOutputError };

type Agreed = Pick<
  ChannelParameters,
  'fundingOutpoint' | 'fundingValueSat' | 'lockUnits' | 'buyerPublicKey' | 'sellerPublicKey'
>;

/**
 * Largest transaction looked at, bytes: the most that is relayed (400,000 weight units), with room for witness data.
 * Our own node hands the transaction over, so this only guards against a mix-up.
 */
export const MAX_FUNDING_TRANSACTION_BYTES = 400_000;

/** Locks tried to tell a wrong lock from wrong keys: each costs a hash, and no client offers longer ones than these. */
const LOCKS_TRIED = 256;

/**
 * Checks the output that `ready` names against the agreed script and value, script first: only an output that commits
 * to our fresh key can belong to this channel, so a caller claims the outpoint only after `script-mismatch` is ruled out.
 * @param transactionBytes as our own node gave them, with or without witness data.
 */
export function checkFundingOutput(transactionBytes: Uint8Array, agreed: Agreed): FundingOutputResult {
  const transaction = decodeTransaction(transactionBytes);
  if (!transaction) return refused({ code: 'transaction-undecodable' });
  const { txid, index } = agreed.fundingOutpoint;
  if (!equalBytes(reversed(transaction.getHash(false)), txid)) return refused({ code: 'txid-mismatch' });
  const output = transaction.outs[index];
  if (!output) return refused({ code: 'no-such-output', outputs: transaction.outs.length });
  const scriptError = checkScript(output.script, agreed);
  if (scriptError) return refused(scriptError);
  if (output.value !== agreed.fundingValueSat) return refused({ code: 'value-mismatch', valueSat: output.value });
  return { ok: true };
}

/** The output script a buyer must pay to. */
export function fundingScript(channel: Pick<Agreed, 'lockUnits' | 'buyerPublicKey' | 'sellerPublicKey'>): Uint8Array {
  return p2shScript(redeemScriptOf(channel));
}

/** Decodes a transaction, or undefined where the bytes are not one or exceed {@link MAX_FUNDING_TRANSACTION_BYTES}. */
export function decodeTransaction(bytes: Uint8Array): Transaction | undefined {
  if (bytes.length > MAX_FUNDING_TRANSACTION_BYTES) return undefined;
  try {
    return Transaction.fromBuffer(bytes);
  } catch {
    // bitcoinjs-lib throws for every byte string that is no transaction; which fault it is makes no difference.
    return undefined;
  }
}

function checkScript(script: Uint8Array, agreed: Agreed): FundingOutputError | undefined {
  if (equalBytes(script, fundingScript(agreed))) return undefined;
  const isP2sh = script.length === 23 && script[0] === 0xa9 && script[1] === 0x14 && script[22] === 0x87;
  if (!isP2sh) return { code: 'not-p2sh' };
  for (let lockUnits = 0; lockUnits < LOCKS_TRIED; lockUnits++) {
    if (equalBytes(script, fundingScript({ ...agreed, lockUnits }))) return { code: 'lock-mismatch', lockUnits };
  }
  return { code: 'script-mismatch' };
}

function refused(error: FundingOutputError): FundingOutputResult {
  return { ok: false, error };
}
