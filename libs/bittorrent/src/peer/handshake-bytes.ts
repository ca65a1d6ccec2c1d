/** The fixed part of every BitTorrent connection (BEP 3): 1 + 19 + 8 + 20 + 20 bytes. */
export const HANDSHAKE_BYTES = 68;

const PROTOCOL = Buffer.from('\u0013BitTorrent protocol', 'latin1');
/** Bytes that tell a plain handshake from anything else. */
export const PROTOCOL_BYTES = PROTOCOL.length;

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

/** Whether these are, as far as they go, the first bytes of a plain handshake. */
export function beginsHandshake(bytes: Uint8Array): boolean {
  const present = Math.min(bytes.length, PROTOCOL.length);
  return PROTOCOL.subarray(0, present).equals(bytes.subarray(0, present));
}

/** Reads the 68 bytes of a handshake, whose beginning was checked. */
export function parseHandshake(bytes: Uint8Array): RemoteHandshake {
  return {
    infoHash: Buffer.from(bytes.subarray(28, 48)).toString('hex'),
    peerId: bytes.slice(48, 68),
    supportsExtended: ((bytes[25] ?? 0) & 0x10) !== 0,
    supportsFast: ((bytes[27] ?? 0) & 0x04) !== 0,
    bytes: bytes.slice(),
  };
}
