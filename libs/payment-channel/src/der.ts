/**
 * Strict DER signatures as the wire carries them: `30 len 02 lenR R 02 lenS S`, without a sighash byte, re-encoding to
 * the same bytes, with low S (payment channel specification §5; BIP 66, BIP 62 rule 5).
 */

/** Longest DER signature: a 33-byte R and a 33-byte S. */
export const MAX_DER_BYTES = 72;

/** The group order n. */
const ORDER = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n;
const HALF_ORDER = ORDER / 2n;
const ORDER_BYTES = scalarBytes(ORDER);
const HALF_ORDER_BYTES = scalarBytes(HALF_ORDER);

export type DerError =
  /** Not the one encoding of a pair of positive integers: wrong tags, lengths, padding, sign, or trailing bytes. */
  | 'not-strict-der'
  /** R or S is zero or not below the group order. */
  | 'r-or-s-out-of-range'
  /** S is above half the group order: valid, but anybody could have changed it, so no node relays it. */
  | 'high-s';

export type DerResult =
  /** `compact` is R ‖ S, 64 bytes. */
  { readonly ok: true; readonly compact: Uint8Array } | { readonly ok: false; readonly code: DerError };

/** Reads a signature, refusing everything but the canonical form. */
export function parseDerSignature(der: Uint8Array): DerResult {
  if (der.length < 8 || der.length > MAX_DER_BYTES || der[0] !== 0x30 || der[1] !== der.length - 2) return NOT_STRICT;
  const rLength = integerLength(der, 2);
  if (rLength === undefined) return NOT_STRICT;
  const sOffset = 4 + rLength;
  const sLength = integerLength(der, sOffset);
  if (sLength === undefined || sOffset + 2 + sLength !== der.length) return NOT_STRICT;
  const compact = new Uint8Array(64);
  const fits = placeScalar(compact, 0, der, 4, rLength) && placeScalar(compact, 32, der, sOffset + 2, sLength);
  if (!fits || !inRange(compact, 0) || !inRange(compact, 32)) return { ok: false, code: 'r-or-s-out-of-range' };
  if (compare(compact, 32, HALF_ORDER_BYTES) > 0) return { ok: false, code: 'high-s' };
  return { ok: true, compact };
}

/** The DER encoding of R ‖ S. Throws RangeError where that is not 64 bytes. */
export function derSignature(compact: Uint8Array): Uint8Array {
  if (compact.length !== 64) throw new RangeError('a compact signature has 64 bytes');
  const r = derInteger(compact.subarray(0, 32));
  const s = derInteger(compact.subarray(32));
  return Uint8Array.of(0x30, r.length + s.length, ...r, ...s);
}

const NOT_STRICT: DerResult = { ok: false, code: 'not-strict-der' };

/** Length of the positive, minimally encoded INTEGER whose tag is at `offset`; undefined where there is none. */
function integerLength(der: Uint8Array, offset: number): number | undefined {
  const length = der[offset + 1];
  const first = der[offset + 2];
  if (der[offset] !== 0x02 || length === undefined || length === 0 || first === undefined) return undefined;
  if (offset + 2 + length > der.length || first & 0x80) return undefined;
  const second = der[offset + 3] ?? 0;
  return length > 1 && first === 0 && !(second & 0x80) ? undefined : length;
}

function placeScalar(target: Uint8Array, at: number, der: Uint8Array, offset: number, length: number): boolean {
  const padding = der[offset] === 0 && length > 1 ? 1 : 0;
  const digits = length - padding;
  if (digits > 32) return false;
  for (let i = 0; i < digits; i++) target[at + 32 - digits + i] = der[offset + padding + i] ?? 0;
  return true;
}

function inRange(compact: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 32; i++) if (compact[offset + i] !== 0) return compare(compact, offset, ORDER_BYTES) < 0;
  return false;
}

function compare(a: Uint8Array, offset: number, b: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const difference = (a[offset + i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function derInteger(scalar: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 31 && scalar[start] === 0) start++;
  const digits = scalar.subarray(start);
  const sign = (digits[0] ?? 0) & 0x80 ? [0] : [];
  return Uint8Array.of(0x02, digits.length + sign.length, ...sign, ...digits);
}

function scalarBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 31, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
