import { hash } from 'node:crypto';
import { address, crypto } from 'bitcoinjs-lib';
import { concatBytes } from './bytes.js';
import type { Network } from './network.js';
import { addressParameters } from './network.js';

/** Scripts and addresses of the outputs this library makes and looks for. */

/** OP_DUP OP_HASH160 {hash} OP_EQUALVERIFY OP_CHECKSIG. The only form a final key hash can take on the wire. */
export function p2pkhScript(keyHash: Uint8Array): Uint8Array {
  if (keyHash.length !== 20) throw new RangeError('a key hash has 20 bytes');
  return concatBytes(Uint8Array.of(0x76, 0xa9, 0x14), keyHash, Uint8Array.of(0x88, 0xac));
}

/** OP_HASH160 {HASH160(redeem script)} OP_EQUAL. */
export function p2shScript(redeemScript: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0xa9, 0x14), hash160(redeemScript), Uint8Array.of(0x87));
}

/** SHA-256, then RIPEMD-160. */
export function hash160(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(crypto.hash160(bytes));
}

/** Double SHA-256. By OpenSSL, more than twice as fast as JavaScript: every payment costs two or four of these hashes. */
export function hash256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');
}

/** Base58 address of a redeem script. On the Bitcoin Cash chains this is the legacy form. */
export function p2shAddress(redeemScript: Uint8Array, network: Network): string {
  return address.toBase58Check(hash160(redeemScript), addressParameters(network).scriptHash);
}

/** Base58 address of a key hash. */
export function p2pkhAddress(keyHash: Uint8Array, network: Network): string {
  return address.toBase58Check(keyHash, addressParameters(network).pubKeyHash);
}
