import { script } from 'bitcoinjs-lib';
import { concatBytes } from './bytes.js';
import type { SigningRule } from './network.js';
import { sighashByte } from './network.js';

/** Input scripts, all pushes minimal. */

const OP_0 = 0x00;
const OP_1 = 0x51;
const OP_PUSHDATA1 = 0x4c;

/** Both signatures, `51` for the settlement branch, the redeem script (payment channel specification §5). */
export function settlementScriptSig(
  buyerDer: Uint8Array,
  sellerDer: Uint8Array,
  redeemScript: Uint8Array,
  rule: SigningRule,
): Uint8Array {
  return concatBytes(
    pushSignature(buyerDer, rule),
    pushSignature(sellerDer, rule),
    Uint8Array.of(OP_1),
    push(redeemScript),
  );
}

/**
 * The buyer's signature in a settlement's input script, DER without its sighash byte: read from the end, because a relayed
 * script may begin with items that nobody asked for. Null where there is none.
 */
export function settlementBuyerSignature(scriptSig: Uint8Array): Uint8Array | null {
  return settlementSignatures(scriptSig)?.buyer ?? null;
}

/** Both signatures in a settlement's script, without their sighash bytes. Null where it is none. */
export function settlementSignatures(
  scriptSig: Uint8Array,
): { readonly buyer: Uint8Array; readonly seller: Uint8Array } | null {
  const items = script.decompile(scriptSig)?.slice(-4) ?? [];
  const [buyer, seller, branch, redeem] = items;
  if (!(buyer instanceof Uint8Array) || buyer.length < 2) return null;
  if (!(seller instanceof Uint8Array) || seller.length < 2) return null;
  if (branch !== OP_1 || !(redeem instanceof Uint8Array)) return null;
  return { buyer: buyer.slice(0, -1), seller: seller.slice(0, -1) };
}

/** The buyer's signature, `00` for the refund branch, the redeem script (payment channel specification §6). */
export function refundScriptSig(buyerDer: Uint8Array, redeemScript: Uint8Array, rule: SigningRule): Uint8Array {
  return concatBytes(pushSignature(buyerDer, rule), Uint8Array.of(OP_0), push(redeemScript));
}

/** Signature and public key, for spending a P2PKH output. */
export function p2pkhScriptSig(der: Uint8Array, publicKey: Uint8Array, rule: SigningRule): Uint8Array {
  return concatBytes(pushSignature(der, rule), push(publicKey));
}

function pushSignature(der: Uint8Array, rule: SigningRule): Uint8Array {
  return push(concatBytes(der, Uint8Array.of(sighashByte(rule))));
}

/** Pushes of 2…255 bytes; that covers signatures, keys and redeem scripts. */
function push(data: Uint8Array): Uint8Array {
  if (data.length < 2 || data.length > 255) throw new RangeError('push is not within 2…255 bytes');
  const prefix = data.length > 75 ? Uint8Array.of(OP_PUSHDATA1, data.length) : Uint8Array.of(data.length);
  return concatBytes(prefix, data);
}
