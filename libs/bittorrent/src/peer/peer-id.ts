import { randomBytes } from 'node:crypto';

/** Azureus-style client prefix: Seedfleet 0.1.0.0. */
export const PEER_ID_PREFIX = '-SF0100-';

/** A peer id for one run of one node: 20 bytes, the prefix and 12 random ones. */
export function createPeerId(): Uint8Array {
  const id = new Uint8Array(20);
  id.set(Buffer.from(PEER_ID_PREFIX, 'latin1'));
  id.set(randomBytes(12), PEER_ID_PREFIX.length);
  return id;
}
