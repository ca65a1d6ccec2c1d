/** Bytes of the key stream that the protocol throws away. */
const DISCARDED_BYTES = 1024;

/**
 * RC4 as message stream encryption uses it. It hides BitTorrent from middleboxes; it protects nothing. OpenSSL 3 has it
 * only in a provider that Node does not load.
 */
export class Rc4 {
  private readonly state = new Uint8Array(256);
  private i = 0;
  private j = 0;

  constructor(key: Uint8Array) {
    const { state } = this;
    for (let i = 0; i < 256; i++) state[i] = i;
    for (let i = 0, j = 0; i < 256; i++) {
      const byte = state[i] ?? 0;
      j = (j + byte + (key[i % key.length] ?? 0)) & 255;
      state[i] = state[j] ?? 0;
      state[j] = byte;
    }
    const discarded = new Uint8Array(DISCARDED_BYTES);
    this.apply(discarded, discarded);
  }

  /** Encrypts or decrypts `from` into `to`, which is at least as long and may be the same. */
  apply(from: Uint8Array, to: Uint8Array): void {
    const { state } = this;
    const { length } = from;
    let { i, j } = this;
    for (let at = 0; at < length; at++) {
      i = (i + 1) & 255;
      const a = state[i] as number;
      j = (j + a) & 255;
      const b = state[j] as number;
      state[i] = b;
      state[j] = a;
      to[at] = (from[at] as number) ^ (state[(a + b) & 255] as number);
    }
    this.i = i;
    this.j = j;
  }

  /** Encrypts or decrypts a copy. */
  transformed(bytes: Uint8Array): Uint8Array {
    const result = new Uint8Array(bytes.length);
    this.apply(bytes, result);
    return result;
  }
}
