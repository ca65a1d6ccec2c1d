/** The fixed part of every BitTorrent connection (BEP 3): 1 + 19 + 8 + 20 + 20 bytes. */
export const HANDSHAKE_BYTES = 68;

const PROTOCOL = Buffer.from('\u0013BitTorrent protocol', 'latin1');

export interface RemoteHandshake {
  /** Lowercase hex. */
  readonly infoHash: string;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Reserved bit of BEP 10. */
  readonly supportsExtended: boolean;
  /** Reserved bit of BEP 6. */
  readonly supportsFast: boolean;
  readonly bytes: Uint8Array;
}

/** Gathers a handshake from chunks and refuses anything else at its first wrong byte. */
export class HandshakeReader {
  private readonly bytes = new Uint8Array(HANDSHAKE_BYTES);
  private length = 0;

  /** Takes a chunk: undefined while more is needed, else the handshake and the bytes after it, or the refusal. */
  push(
    chunk: Uint8Array,
  ): { readonly handshake: RemoteHandshake; readonly rest: Uint8Array } | 'not-bittorrent' | undefined {
    const count = Math.min(HANDSHAKE_BYTES - this.length, chunk.length);
    this.bytes.set(chunk.subarray(0, count), this.length);
    this.length += count;
    const present = Math.min(this.length, PROTOCOL.length);
    if (!PROTOCOL.subarray(0, present).equals(this.bytes.subarray(0, present))) return 'not-bittorrent';
    if (this.length < HANDSHAKE_BYTES) return undefined;
    return { handshake: readHandshake(this.bytes), rest: chunk.subarray(count) };
  }
}

function readHandshake(bytes: Uint8Array): RemoteHandshake {
  return {
    infoHash: Buffer.from(bytes.subarray(28, 48)).toString('hex'),
    peerId: bytes.slice(48, 68),
    supportsExtended: ((bytes[25] ?? 0) & 0x10) !== 0,
    supportsFast: ((bytes[27] ?? 0) & 0x04) !== 0,
    bytes,
  };
}
