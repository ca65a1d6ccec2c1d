import { createDiffieHellman, createHash, randomBytes, randomInt, type DiffieHellman } from 'node:crypto';
import { Rc4 } from './rc4.js';

/** The 768-bit group of message stream encryption, generator 2. */
const PRIME =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b' +
  '0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563';
const GENERATOR = 2;
export const PUBLIC_KEY_BYTES = 96;
/** 160 bits, as the protocol advises: the key stream has no more strength. */
const PRIVATE_KEY_BYTES = 20;
export const MAX_PAD_BYTES = 512;

let shared: DiffieHellman | undefined;

/** OpenSSL examines the prime whenever a group is made, 40 ms long: one is made, and given each connection's key. */
function group(): DiffieHellman {
  shared ??= createDiffieHellman(PRIME, 'hex', GENERATOR);
  return shared;
}

/** One side of a key exchange. */
export class KeyExchange {
  private readonly privateKey = randomBytes(PRIVATE_KEY_BYTES);
  readonly publicKey: Uint8Array;

  constructor() {
    const dh = group();
    dh.setPrivateKey(this.privateKey);
    this.publicKey = padded(dh.generateKeys());
  }

  /** The shared secret, 96 bytes; undefined for a key that no honest peer has. */
  secretWith(remotePublicKey: Uint8Array): Uint8Array | undefined {
    const dh = group();
    dh.setPrivateKey(this.privateKey);
    try {
      return padded(dh.computeSecret(remotePublicKey));
    } catch {
      return undefined;
    }
  }
}

/** Random bytes, 0 to 512 of them, that hide where messages begin. */
export function randomPad(): Uint8Array {
  return randomBytes(randomInt(MAX_PAD_BYTES + 1));
}

export function sha1(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The key streams of both directions. */
export function keyStreams(
  secret: Uint8Array,
  infoHash: Uint8Array,
): { readonly initiator: Rc4; readonly responder: Rc4 } {
  return {
    initiator: new Rc4(sha1('keyA', secret, infoHash)),
    responder: new Rc4(sha1('keyB', secret, infoHash)),
  };
}

/** What stands for an info hash in an encrypted handshake: a responder knows by it which of its torrents is meant. */
export function obfuscatedHash(infoHash: string): string {
  return Buffer.from(sha1('req2', Buffer.from(infoHash, 'hex'))).toString('hex');
}

function padded(key: Uint8Array): Uint8Array {
  const result = new Uint8Array(PUBLIC_KEY_BYTES);
  result.set(key, PUBLIC_KEY_BYTES - key.length);
  return result;
}
