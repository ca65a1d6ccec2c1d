import {
  EXTENDED_MESSAGE_ID,
  FRAME_HEADER_BYTES,
  KEY_HASH_BYTES,
  MAX_SIGNATURE_BYTES,
  PAYLOAD_BYTES,
  PUBLIC_KEY_BYTES,
  TXID_BYTES,
} from './limits.js';
import { MESSAGE_ID, type MessageIds } from './message-ids.js';
import type { Message } from './messages.js';

/** One peer-wire frame in the pieces in which it is written: `body`, when present, follows `header` on the wire. */
export interface EncodedFrame {
  /** The whole frame, except the blob of a full_piece or speedTestPayload. */
  readonly header: Uint8Array;
  /** The very bytes handed in as the message's `data`, never a copy. */
  readonly body?: Uint8Array;
}

const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** Longest blob whose frame length still fits the u32 length prefix. */
const MAX_BLOB_BYTES = MAX_U32 - (FRAME_HEADER_BYTES - 4) - 4;

const integer = (field: string, value: number, max: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new RangeError(`${field} ${value} is outside 0…${max}`);
  return value;
};

const u64 = (field: string, value: bigint): bigint => {
  if (value < 0n || value > MAX_U64) throw new RangeError(`${field} ${value} is outside 0…2^64-1`);
  return value;
};

const bytesOf = (field: string, bytes: Uint8Array, length: number): Uint8Array => {
  if (bytes.length !== length) throw new RangeError(`${field} has ${bytes.length} bytes instead of ${length}`);
  return bytes;
};

/** Size of the payload without the blob that would follow it. */
const headSize = (message: Message): number => {
  switch (message.type) {
    case 'observe':
      return 0;
    case 'full_piece':
    case 'speedTestPayload':
      return 4;
    case 'payment':
      return 1 + message.signature.length;
    default:
      return PAYLOAD_BYTES[message.type];
  }
};

/**
 * Where the head of a message is put together: a fixed buffer with its view, copied out when it is complete. Making a
 * DataView for each message would cost more than all the rest. Every field is written over, so nothing of an earlier
 * message shows.
 */
const scratch = new Uint8Array(FRAME_HEADER_BYTES + PAYLOAD_BYTES.ready);
const payloadPart = scratch.subarray(FRAME_HEADER_BYTES);
const view = new DataView(scratch.buffer, FRAME_HEADER_BYTES);

/** Writes everything but the blob of a full_piece or speedTestPayload (wire protocol §6) into the scratch buffer. */
const writeHead = (message: Message): void => {
  switch (message.type) {
    case 'observe':
      return;
    case 'buy':
      view.setBigUint64(0, u64('maxContractFeePerKb', message.terms.maxContractFeePerKb));
      view.setUint16(8, integer('maxLock', message.terms.maxLock, MAX_U16));
      view.setBigUint64(10, u64('maxPrice', message.terms.maxPrice));
      view.setUint32(18, integer('minNumberOfSellers', message.terms.minNumberOfSellers, MAX_U32));
      return;
    case 'sell':
      view.setBigUint64(0, u64('minContractFeePerKb', message.terms.minContractFeePerKb));
      view.setUint16(8, integer('minLock', message.terms.minLock, MAX_U16));
      view.setBigUint64(10, u64('minPrice', message.terms.minPrice));
      view.setUint32(18, integer('maxSellers', message.terms.maxSellers, MAX_U32));
      view.setBigUint64(22, u64('settlementFee', message.terms.settlementFee));
      view.setUint32(30, integer('index', message.index, MAX_U32));
      return;
    case 'join_contract':
      view.setUint32(0, integer('index', message.index, MAX_U32));
      return;
    case 'joining_contract':
      payloadPart.set(bytesOf('sellerPublicKey', message.sellerPublicKey, PUBLIC_KEY_BYTES));
      payloadPart.set(bytesOf('sellerKeyHash', message.sellerKeyHash, KEY_HASH_BYTES), PUBLIC_KEY_BYTES);
      return;
    case 'ready':
      view.setBigUint64(0, u64('value', message.value));
      payloadPart.set(bytesOf('outpoint.txid', message.outpoint.txid, TXID_BYTES), 8);
      view.setUint32(40, integer('outpoint.index', message.outpoint.index, MAX_U32));
      payloadPart.set(bytesOf('buyerPublicKey', message.buyerPublicKey, PUBLIC_KEY_BYTES), 44);
      payloadPart.set(bytesOf('buyerKeyHash', message.buyerKeyHash, KEY_HASH_BYTES), 77);
      return;
    case 'request_full_piece':
      if ((message.piece | 0) !== message.piece)
        throw new RangeError(`piece ${message.piece} is outside the i32 range`);
      view.setInt32(0, message.piece);
      return;
    case 'payment':
      payloadPart[0] = integer('signature length', message.signature.length, MAX_SIGNATURE_BYTES);
      payloadPart.set(message.signature, 1);
      return;
    case 'speedTestRequest':
      view.setUint32(0, integer('size', message.size, MAX_U32));
      return;
    case 'full_piece':
    case 'speedTestPayload':
      view.setUint32(0, integer('data length', message.data.length, MAX_BLOB_BYTES));
      return;
  }
};

const bodyOf = (message: Message): Uint8Array | undefined =>
  message.type === 'full_piece' || message.type === 'speedTestPayload' ? message.data : undefined;

/**
 * The payload of a message in one piece. Copies the blob of a full_piece or speedTestPayload: to write those to a
 * socket use {@link encodeFrame}.
 *
 * @throws RangeError when a field does not fit its place on the wire; our own values are ours to check beforehand.
 */
export const encodePayload = (message: Message): Uint8Array => {
  writeHead(message);
  const head = payloadPart.slice(0, headSize(message));
  const body = bodyOf(message);
  if (body === undefined) return head;
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
};

/**
 * The whole peer-wire frame of a message (wire protocol §1). The bytes of a piece or of a speed test are handed back as
 * they are, to be written after the header without a copy.
 *
 * @param ids the extended ids the frame is for: ours unless the peer is no reference client and announced others (§4).
 * @throws RangeError when a field does not fit its place on the wire, or the id is not 1–255.
 */
export const encodeFrame = (message: Message, ids: MessageIds = MESSAGE_ID): EncodedFrame => {
  const id = ids[message.type];
  if (!Number.isInteger(id) || id < 1 || id > 0xff) throw new RangeError(`extended id ${id} is outside 1…255`);
  writeHead(message);
  const head = headSize(message);
  const body = bodyOf(message);
  const length = 2 + head + (body?.length ?? 0);
  scratch[0] = length >>> 24;
  scratch[1] = length >>> 16;
  scratch[2] = length >>> 8;
  scratch[3] = length;
  scratch[4] = EXTENDED_MESSAGE_ID;
  scratch[5] = id;
  const header = scratch.slice(0, FRAME_HEADER_BYTES + head);
  return body === undefined ? { header } : { header, body };
};
