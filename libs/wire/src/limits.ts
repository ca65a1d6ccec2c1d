/** Sizes of the wire's primitives in bytes (wire protocol §5). */
export const PUBLIC_KEY_BYTES = 33;
export const KEY_HASH_BYTES = 20;
export const TXID_BYTES = 32;
/** Longest DER signature the reference's reader takes. */
export const MAX_SIGNATURE_BYTES = 73;

/** Payload sizes of the messages of fixed size (wire protocol §6). */
export const PAYLOAD_BYTES = {
  buy: 22,
  sell: 34,
  join_contract: 4,
  joining_contract: PUBLIC_KEY_BYTES + KEY_HASH_BYTES,
  ready: 97,
  request_full_piece: 4,
  speedTestRequest: 4,
} as const;

/** Length prefix, BEP 10 message id, extended id. */
export const FRAME_HEADER_BYTES = 6;

/** BitTorrent message id of every extended message (BEP 10). */
export const EXTENDED_MESSAGE_ID = 20;
