import { decodeBencode } from '../../bencode/decode.js';

/** The info dictionary travels in parts of this size (BEP 9). */
export const METADATA_PART_BYTES = 16 * 1024;

const LIMITS = { maxDepth: 2, maxValues: 16 };
const REQUEST = 0;
const DATA = 1;
const REJECT = 2;

/** The part that a `ut_metadata` message asks for; undefined for any other message. */
export function readMetadataRequest(payload: Uint8Array): number | undefined {
  const decoded = decodeBencode(payload, LIMITS);
  if (!decoded.ok || decoded.value.type !== 'dictionary') return undefined;
  const type = decoded.value.value.get('msg_type');
  const part = decoded.value.value.get('piece');
  if (type?.type !== 'integer' || type.value !== REQUEST || part?.type !== 'integer') return undefined;
  return part.value >= 0 ? part.value : undefined;
}

/** The answer to a request: a head, and the bytes to send behind it; undefined where there is no such part. */
export function metadataPart(
  infoBytes: Uint8Array,
  part: number,
): { readonly head: Uint8Array; readonly body: Uint8Array } | undefined {
  const from = part * METADATA_PART_BYTES;
  if (from >= infoBytes.length) return undefined;
  return {
    head: Buffer.from(`d8:msg_typei${DATA}e5:piecei${part}e10:total_sizei${infoBytes.length}ee`),
    body: infoBytes.subarray(from, from + METADATA_PART_BYTES),
  };
}

/** Says that a part will not come. */
export function metadataReject(part: number): Uint8Array {
  return Buffer.from(`d8:msg_typei${REJECT}e5:piecei${part}ee`);
}
