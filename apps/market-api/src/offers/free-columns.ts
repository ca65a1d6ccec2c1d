import type { FreeTier } from './terms-of-sale.js';

/** A free tier as it is stored. */
export function freeColumns(freeTier: FreeTier | null) {
  return {
    freeBytesPerDay: freeTier === null ? null : BigInt(freeTier.bytesPerDay),
    freeBytesPerPeerDay: freeTier === null ? null : BigInt(freeTier.bytesPerPeerDay),
  };
}
