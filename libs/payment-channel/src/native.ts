import { createRequire } from 'node:module';
import type { Ecdsa } from './ecdsa.js';

/** The part of the `secp256k1` package used here; the package ships no types. */
interface Addon {
  ecdsaVerify(compact: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { readonly signature: Uint8Array };
  publicKeyVerify(publicKey: Uint8Array): boolean;
  privateKeyVerify(privateKey: Uint8Array): boolean;
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array;
}

let loaded: Ecdsa | null | undefined;

/** The native back end, or undefined where the package has no prebuilt binary for this machine. Loaded once. */
export function nativeEcdsa(): Ecdsa | undefined {
  if (loaded === undefined) {
    const addon = loadAddon();
    loaded = addon ? fromAddon(addon) : null;
  }
  return loaded ?? undefined;
}

function loadAddon(): Addon | undefined {
  try {
    // `secp256k1/bindings`, because the package's main file quietly falls back to a JavaScript curve thirty times slower.
    return createRequire(import.meta.url)('secp256k1/bindings') as Addon;
  } catch {
    return undefined;
  }
}

function fromAddon(addon: Addon): Ecdsa {
  return {
    name: 'native',
    verify(digest, compact, publicKey) {
      if (digest.length !== 32 || compact.length !== 64 || !isCompressed(publicKey)) return false;
      try {
        return addon.ecdsaVerify(compact, digest, publicKey);
      } catch {
        // It throws where R or S is not below the group order or the key is off the curve: invalid, as documented.
        return false;
      }
    },
    sign: (digest, privateKey) => addon.ecdsaSign(digest, privateKey).signature,
    isPoint: (publicKey) => isCompressed(publicKey) && addon.publicKeyVerify(publicKey),
    publicKeyFor: (privateKey) =>
      privateKey.length === 32 && addon.privateKeyVerify(privateKey)
        ? addon.publicKeyCreate(privateKey, true)
        : undefined,
  };
}

function isCompressed(publicKey: Uint8Array): boolean {
  return publicKey.length === 33 && (publicKey[0] === 2 || publicKey[0] === 3);
}
