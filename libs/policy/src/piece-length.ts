import { DEFAULT_POLICY } from './defaults.js';

/**
 * Bytes per piece for content of this size: the power of two that makes about `making.pieces` pieces within the bounds.
 * `totalBytes` must be positive.
 */
export function sensiblePieceLength(totalBytes: number, making = DEFAULT_POLICY.making): number {
  const { pieces, minPieceLengthBytes, maxPieceLengthBytes, maxPieces, hardMaxPieceLengthBytes } = making;
  let length = minPieceLengthBytes;
  while (length < maxPieceLengthBytes && totalBytes / length > pieces * Math.SQRT2) length *= 2;
  while (length < hardMaxPieceLengthBytes && totalBytes / length > maxPieces) length *= 2;
  return length;
}
