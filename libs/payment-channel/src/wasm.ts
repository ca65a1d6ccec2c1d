import * as tiny from 'tiny-secp256k1';
import type { Ecdsa } from './ecdsa.js';

/** The WebAssembly back end: slower, but it runs everywhere. */
export const wasmEcdsa: Ecdsa = {
  name: 'wasm',
  verify(digest, compact, publicKey) {
    if (digest.length !== 32 || compact.length !== 64 || !isCompressed(publicKey)) return false;
    try {
      return tiny.verify(digest, publicKey, compact, true);
    } catch {
      // It throws where R or S is not below the group order or the key is off the curve: invalid, as documented.
      return false;
    }
  },
  sign: (digest, privateKey) => tiny.sign(digest, privateKey),
  isPoint: (publicKey) => isCompressed(publicKey) && tiny.isPointCompressed(publicKey),
  publicKeyFor: (privateKey) =>
    privateKey.length === 32 && tiny.isPrivate(privateKey)
      ? (tiny.pointFromScalar(privateKey, true) ?? undefined)
      : undefined,
};

function isCompressed(publicKey: Uint8Array): boolean {
  return publicKey.length === 33 && (publicKey[0] === 2 || publicKey[0] === 3);
}
