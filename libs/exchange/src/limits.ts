import { MAX_EXTENDED_HANDSHAKE_BYTES, messageNameOfId } from '@seedfleet/wire';

import { isSeller, type ConnectionState } from './connection/state.js';

/** Largest JoyStream payload but for pieces and speed tests; the largest legitimate one is `ready` with 97 bytes (wire protocol §8). */
export const MAX_CONTROL_PAYLOAD_BYTES = 256;

/** Length prefix of a blob, and room for one a little too long to be seen and named as what it is. */
const BLOB_MARGIN_BYTES = 4 + 256;

/**
 * Largest payload worth reading for an extended id in the connection's present state, to be asked as soon as a frame's
 * header is seen: beyond it the host stops reading and sends `received-oversized`. Toward a seller pieces and speed
 * tests are never legitimate (hazards H8). Toward a buyer, or who was one, one may have been asked for before the state
 * changed, so it is read and dropped. The ids of other extensions are the host's matter.
 */
export function inboundLimitBytes(conn: ConnectionState, id: number): number {
  if (id === 0) return MAX_EXTENDED_HANDSHAKE_BYTES;
  const name = messageNameOfId(id);
  const isBlob = name === 'full_piece' || name === 'speedTestPayload';
  if (!isBlob || !conn.hasBought || isSeller(conn.role)) return MAX_CONTROL_PAYLOAD_BYTES;
  return BLOB_MARGIN_BYTES + Math.max(conn.config.torrent.pieceLengthBytes, conn.askedTestBytes);
}
