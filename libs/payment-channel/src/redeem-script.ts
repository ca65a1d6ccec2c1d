import { concatBytes, equalBytes } from './bytes.js';
import type { Ecdsa } from './ecdsa.js';
import type { RelativeLock } from './lock.js';
import { lockPush, parseLockPush, timeLock } from './lock.js';
import type { ChannelParameters } from './parameters.js';

/** Length of the redeem script with a time lock, the only kind the protocol uses. */
export const REDEEM_SCRIPT_BYTES = 79;

export interface RedeemScript {
  readonly sellerPublicKey: Uint8Array;
  readonly buyerPublicKey: Uint8Array;
  readonly lock: RelativeLock;
}

export type RedeemScriptError =
  /** Not this template: wrong opcodes or pushes, a lock that is not minimally pushed, missing or extra bytes. */
  | 'not-a-channel-script'
  /** The seller's key is not a compressed point on the curve. */
  | 'seller-key-off-curve'
  /** The buyer's key is not a compressed point on the curve. */
  | 'buyer-key-off-curve';

export type RedeemScriptMismatch =
  /** The script commits to another lock than the one announced. */
  | 'lock-mismatch'
  /** The script commits to another seller key. */
  | 'seller-key-mismatch'
  /** The script commits to another buyer key. */
  | 'buyer-key-mismatch';

/**
 * OP_IF
 *   {seller key} OP_CHECKSIGVERIFY          settlement: both sign
 * OP_ELSE
 *   {lock} OP_CHECKSEQUENCEVERIFY OP_DROP   refund: the buyer alone, later
 * OP_ENDIF
 * {buyer key} OP_CHECKSIG
 *
 * Throws RangeError where a key is not 33 bytes or the lock out of range.
 */
export function encodeRedeemScript(script: RedeemScript): Uint8Array {
  if (script.sellerPublicKey.length !== 33 || script.buyerPublicKey.length !== 33) {
    throw new RangeError('a compressed public key has 33 bytes');
  }
  return concatBytes(
    Uint8Array.of(0x63, 0x21),
    script.sellerPublicKey,
    Uint8Array.of(0xad, 0x67),
    lockPush(script.lock),
    Uint8Array.of(0xb2, 0x75, 0x68, 0x21),
    script.buyerPublicKey,
    Uint8Array.of(0xac),
  );
}

/** The redeem script of a channel. */
export function redeemScriptOf(
  channel: Pick<ChannelParameters, 'sellerPublicKey' | 'buyerPublicKey' | 'lockUnits'>,
): Uint8Array {
  return encodeRedeemScript({ ...channel, lock: timeLock(channel.lockUnits) });
}

/** Reads a redeem script, refusing everything that {@link encodeRedeemScript} would not have written. */
export function parseRedeemScript(
  bytes: Uint8Array,
  ecdsa: Pick<Ecdsa, 'isPoint'>,
): { readonly ok: true; readonly script: RedeemScript } | { readonly ok: false; readonly code: RedeemScriptError } {
  const lock = parseLockPush(bytes, 37)?.lock;
  if (!lock) return { ok: false, code: 'not-a-channel-script' };
  const script = { sellerPublicKey: bytes.slice(2, 35), buyerPublicKey: bytes.slice(-34, -1), lock };
  if (script.buyerPublicKey.length !== 33 || !equalBytes(encodeRedeemScript(script), bytes)) {
    return { ok: false, code: 'not-a-channel-script' };
  }
  if (!ecdsa.isPoint(script.sellerPublicKey)) return { ok: false, code: 'seller-key-off-curve' };
  if (!ecdsa.isPoint(script.buyerPublicKey)) return { ok: false, code: 'buyer-key-off-curve' };
  return { ok: true, script };
}

/** Compares a redeem script with what was agreed. Undefined means that all three parts are the same. */
export function compareRedeemScript(script: RedeemScript, agreed: RedeemScript): RedeemScriptMismatch | undefined {
  if (!equalBytes(script.sellerPublicKey, agreed.sellerPublicKey)) return 'seller-key-mismatch';
  if (!equalBytes(script.buyerPublicKey, agreed.buyerPublicKey)) return 'buyer-key-mismatch';
  const sameLock = script.lock.units === agreed.lock.units && script.lock.counter === agreed.lock.counter;
  return sameLock ? undefined : 'lock-mismatch';
}
