import { address } from 'bitcoinjs-lib';
import type { Network } from '@seedfleet/payment-channel';
import { addressParameters, concatBytes, hasSegwit, p2pkhAddress, p2pkhScript } from '@seedfleet/payment-channel';
import { cashPrefix, decodeCashAddress, encodeCashAddress } from './cash-address.js';

/** Output scripts of the wallet, their addresses, and what is too small to be sent. */

export type CoinKind = 'p2wpkh' | 'p2pkh';

/** OP_0 {key hash} (BIP 141). */
export function p2wpkhScript(keyHash: Uint8Array): Uint8Array {
  if (keyHash.length !== 20) throw new RangeError('a key hash has 20 bytes');
  return concatBytes(Uint8Array.of(0x00, 0x14), keyHash);
}

export function outputScript(kind: CoinKind, keyHash: Uint8Array): Uint8Array {
  return kind === 'p2wpkh' ? p2wpkhScript(keyHash) : p2pkhScript(keyHash);
}

/** Bech32 for P2WPKH, base58 for P2PKH; on Bitcoin Cash its own form, prefix included. */
export function walletAddress(kind: CoinKind, keyHash: Uint8Array, network: Network): string {
  const prefix = cashPrefix(network);
  if (kind === 'p2pkh')
    return prefix === undefined ? p2pkhAddress(keyHash, network) : encodeCashAddress(keyHash, prefix);
  if (!hasSegwit(network)) throw new RangeError('this chain has no segregated witness');
  return address.toBech32(keyHash, 0, addressParameters(network).bech32);
}

/**
 * The output script of an address, or undefined where it is none of this network. On Bitcoin Cash its own form is taken,
 * and the older one that it shares with Bitcoin.
 */
export function scriptOfAddress(text: string, network: Network): Uint8Array | undefined {
  const prefix = cashPrefix(network);
  const cash = prefix === undefined ? undefined : decodeCashAddress(text, prefix);
  if (cash !== undefined) return cash.kind === 'key' ? p2pkhScript(cash.hash) : scriptHashScript(cash.hash);
  try {
    const script = Uint8Array.from(address.toOutputScript(text, addressParameters(network)));
    return isWitnessProgram(script) && !hasSegwit(network) ? undefined : script;
  } catch {
    // bitcoinjs-lib throws for every text that is no address of the network.
    return undefined;
  }
}

/** HASH160 {hash} EQUAL (BIP 16); of 32 bytes HASH256 {hash} EQUAL, which Bitcoin Cash has since 2023. */
function scriptHashScript(hash: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(hash.length === 20 ? 0xa9 : 0xaa, hash.length), hash, Uint8Array.of(0x87));
}

/**
 * Smallest value that nodes relay to a script: three times what spending the output costs at 1 sat/vB, as Bitcoin Core
 * reckons it (3000 sat per 1000 vbytes). 546 for P2PKH, 540 for P2SH, 294 for P2WPKH.
 */
export function dustSat(script: Uint8Array): bigint {
  // OP_RETURN: never spent, so never dust.
  if (script[0] === 0x6a) return 0n;
  return BigInt(3 * (outputBytes(script) + (isWitnessProgram(script) ? 67 : 148)));
}

/** A version opcode (OP_0, OP_1…OP_16) and one push of 2 to 40 bytes (BIP 141). */
function isWitnessProgram(script: Uint8Array): boolean {
  const [version = 0xff, length = 0] = script;
  const isVersion = version === 0x00 || (version >= 0x51 && version <= 0x60);
  return isVersion && length >= 2 && length <= 40 && script.length === 2 + length;
}

/** Serialised size of an output: amount, length, script. */
export function outputBytes(script: Uint8Array): number {
  return 8 + (script.length < 253 ? 1 : 3) + script.length;
}
