import type { WireError, WireErrorCode } from './errors.js';
import { KEY_HASH_BYTES, MAX_SIGNATURE_BYTES, PAYLOAD_BYTES, PUBLIC_KEY_BYTES, TXID_BYTES } from './limits.js';
import { messageNameOfId } from './message-ids.js';
import type { Message, MessageName } from './messages.js';

/** A message, and how many surplus bytes followed it: the reference ignores them, so do we, but they are counted. */
export interface DecodedMessage {
  readonly ok: true;
  readonly message: Message;
  readonly trailingBytes: number;
}

/** Whether 33 bytes with a good prefix are a point of secp256k1. */
export type IsOnCurve = (publicKey: Uint8Array) => boolean;

/** End offset of each field of the messages of fixed size, in wire order (wire protocol §6). */
const FIELD_ENDS: Readonly<Record<keyof typeof PAYLOAD_BYTES, readonly (readonly [field: string, end: number])[]>> = {
  buy: [
    ['maxContractFeePerKb', 8],
    ['maxLock', 10],
    ['maxPrice', 18],
    ['minNumberOfSellers', 22],
  ],
  sell: [
    ['minContractFeePerKb', 8],
    ['minLock', 10],
    ['minPrice', 18],
    ['maxSellers', 22],
    ['settlementFee', 30],
    ['index', 34],
  ],
  join_contract: [['index', 4]],
  joining_contract: [
    ['sellerPublicKey', 33],
    ['sellerKeyHash', 53],
  ],
  ready: [
    ['value', 8],
    ['txid', 40],
    ['outputIndex', 44],
    ['buyerPublicKey', 77],
    ['buyerKeyHash', 97],
  ],
  request_full_piece: [['piece', 4]],
  speedTestRequest: [['size', 4]],
};

const fail = (
  code: WireErrorCode,
  presentBytes: number,
  message: MessageName,
  field: string,
  neededBytes?: number,
): WireError => ({
  ok: false,
  code,
  message,
  field,
  presentBytes,
  ...(neededBytes === undefined ? {} : { neededBytes }),
});

const truncated = (message: keyof typeof PAYLOAD_BYTES, presentBytes: number): WireError => {
  for (const [field, end] of FIELD_ENDS[message]) {
    if (presentBytes < end) return fail('field-truncated', presentBytes, message, field, end);
  }
  throw new RangeError(`${message} of ${presentBytes} bytes is not truncated`);
};

const decoded = (message: Message, trailingBytes: number): DecodedMessage => ({ ok: true, message, trailingBytes });

const badKey = (
  publicKey: Uint8Array,
  isOnCurve: IsOnCurve,
): Extract<WireErrorCode, 'public-key-prefix' | 'public-key-off-curve'> | undefined => {
  const prefix = publicKey[0];
  if (prefix !== 2 && prefix !== 3) return 'public-key-prefix';
  return isOnCurve(publicKey) ? undefined : 'public-key-off-curve';
};

/**
 * Decodes the payload of one extended message (wire protocol §6, §7).
 *
 * Never throws on any bytes. Byte fields of the result are views into `payload`, so decoding allocates the same few
 * objects whatever the payload's size. `id` is one of our own ids (§4); `isOnCurve` is asked about public keys only.
 */
export const decodeMessage = (id: number, payload: Uint8Array, isOnCurve: IsOnCurve): DecodedMessage | WireError => {
  const name = messageNameOfId(id);
  const size = payload.byteLength;
  if (name === undefined) return { ok: false, code: 'unknown-message-id', presentBytes: size };
  switch (name) {
    case 'observe':
      return decoded({ type: name }, size);
    case 'buy':
      return size < PAYLOAD_BYTES.buy ? truncated(name, size) : decodeBuy(payload);
    case 'sell':
      return size < PAYLOAD_BYTES.sell ? truncated(name, size) : decodeSell(payload);
    case 'join_contract':
      return size < 4 ? truncated(name, size) : decoded({ type: name, index: readU32(payload, 0) }, size - 4);
    case 'joining_contract':
      return size < PAYLOAD_BYTES.joining_contract ? truncated(name, size) : decodeJoining(payload, isOnCurve);
    case 'ready':
      return size < PAYLOAD_BYTES.ready ? truncated(name, size) : decodeReady(payload, isOnCurve);
    case 'request_full_piece':
      // Written unsigned, read signed, by the reference (§6).
      return size < 4 ? truncated(name, size) : decoded({ type: name, piece: readU32(payload, 0) | 0 }, size - 4);
    case 'speedTestRequest':
      return size < 4 ? truncated(name, size) : decoded({ type: name, size: readU32(payload, 0) }, size - 4);
    case 'full_piece':
    case 'speedTestPayload':
      return decodeBlob(name, payload);
    case 'payment':
      return decodePayment(payload);
  }
};

const readU32 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const decodeBuy = (payload: Uint8Array): DecodedMessage => {
  const view = viewOf(payload);
  const terms = {
    maxContractFeePerKb: view.getBigUint64(0),
    maxLock: view.getUint16(8),
    maxPrice: view.getBigUint64(10),
    minNumberOfSellers: view.getUint32(18),
  };
  return decoded({ type: 'buy', terms }, payload.byteLength - PAYLOAD_BYTES.buy);
};

const decodeSell = (payload: Uint8Array): DecodedMessage => {
  const view = viewOf(payload);
  const terms = {
    minContractFeePerKb: view.getBigUint64(0),
    minLock: view.getUint16(8),
    minPrice: view.getBigUint64(10),
    maxSellers: view.getUint32(18),
    settlementFee: view.getBigUint64(22),
  };
  return decoded({ type: 'sell', terms, index: view.getUint32(30) }, payload.byteLength - PAYLOAD_BYTES.sell);
};

const decodeJoining = (payload: Uint8Array, isOnCurve: IsOnCurve): DecodedMessage | WireError => {
  const sellerPublicKey = payload.subarray(0, PUBLIC_KEY_BYTES);
  const wrong = badKey(sellerPublicKey, isOnCurve);
  if (wrong !== undefined) return fail(wrong, payload.byteLength, 'joining_contract', 'sellerPublicKey');
  const sellerKeyHash = payload.subarray(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES + KEY_HASH_BYTES);
  const message: Message = { type: 'joining_contract', sellerPublicKey, sellerKeyHash };
  return decoded(message, payload.byteLength - PAYLOAD_BYTES.joining_contract);
};

const decodeReady = (payload: Uint8Array, isOnCurve: IsOnCurve): DecodedMessage | WireError => {
  const buyerPublicKey = payload.subarray(44, 44 + PUBLIC_KEY_BYTES);
  const wrong = badKey(buyerPublicKey, isOnCurve);
  if (wrong !== undefined) return fail(wrong, payload.byteLength, 'ready', 'buyerPublicKey');
  const message: Message = {
    type: 'ready',
    value: viewOf(payload).getBigUint64(0),
    outpoint: { txid: payload.subarray(8, 8 + TXID_BYTES), index: readU32(payload, 40) },
    buyerPublicKey,
    buyerKeyHash: payload.subarray(77, 77 + KEY_HASH_BYTES),
  };
  return decoded(message, payload.byteLength - PAYLOAD_BYTES.ready);
};

const decodeBlob = (type: 'full_piece' | 'speedTestPayload', payload: Uint8Array): DecodedMessage | WireError => {
  const size = payload.byteLength;
  if (size < 4) return fail('field-truncated', size, type, 'length', 4);
  const end = 4 + readU32(payload, 0);
  if (end > size) return fail('blob-beyond-payload', size, type, 'data', end);
  return decoded({ type, data: payload.subarray(4, end) }, size - end);
};

const decodePayment = (payload: Uint8Array): DecodedMessage | WireError => {
  const size = payload.byteLength;
  const length = payload[0];
  if (length === undefined) return fail('field-truncated', size, 'payment', 'length', 1);
  if (length > MAX_SIGNATURE_BYTES) return fail('signature-too-long', size, 'payment', 'signature', 1 + length);
  if (1 + length > size) return fail('signature-beyond-payload', size, 'payment', 'signature', 1 + length);
  return decoded({ type: 'payment', signature: payload.subarray(1, 1 + length) }, size - 1 - length);
};
