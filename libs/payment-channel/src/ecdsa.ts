import { nativeEcdsa } from './native.js';
import { wasmEcdsa } from './wasm.js';

/**
 * ECDSA over secp256k1, the one interface of both back ends. Nothing here throws on bytes that came from a peer: a
 * signature or key that cannot be read is simply not valid. Both back ends give the same verdicts.
 */
export interface Ecdsa {
  readonly name: 'native' | 'wasm';
  /**
   * Whether the signature is valid. A high S, R or S out of range, or an unreadable key count as invalid.
   * @param digest 32 bytes.
   * @param compact R ‖ S, 64 bytes; see `parseDerSignature` for what the wire carries.
   * @param publicKey 33 bytes compressed.
   */
  verify(digest: Uint8Array, compact: Uint8Array, publicKey: Uint8Array): boolean;
  /**
   * Signs with the deterministic nonce of RFC 6979. Returns R ‖ S with low S.
   * Throws for a private key outside [1, n−1]: keys are our own.
   */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array;
  /** Whether these bytes are a compressed public key (33 bytes) on the curve. */
  isPoint(publicKey: Uint8Array): boolean;
  /** The compressed public key, or undefined where the private key is not 32 bytes in [1, n−1]. */
  publicKeyFor(privateKey: Uint8Array): Uint8Array | undefined;
}

/**
 * The native addon where its prebuilt binary fits this machine (about five times faster), else WebAssembly.
 * The choice is made once; `name` says which it was, for the log.
 */
export function bestEcdsa(): Ecdsa {
  return nativeEcdsa() ?? wasmEcdsa;
}
