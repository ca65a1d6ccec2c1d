import { DEFAULT_POLICY } from './defaults.js';
import type { PricedTorrent } from './price.js';
import { roundedFormulaPrice } from './price.js';

/**
 * How an operator says what a torrent costs, and the price of a piece that follows. Rates are thousandths of a satoshi, so
 * that 2.5 sat per MiB can be said without a fraction. Integers only; always rounded up, so that no rule gives pieces away.
 */
export type PriceRule =
  /** The same for every piece, whatever its size. */
  | { readonly mode: 'piece'; readonly rateMilliSat: bigint }
  /** By size: per MiB (2^20 bytes) of a piece. */
  | { readonly mode: 'mib'; readonly rateMilliSat: bigint }
  /** The formula of default clients at this rate per MB of 2^20 bytes; at their own rate or below, they accept it. */
  | { readonly mode: 'formula'; readonly rateMilliSat: bigint };

export type PriceMode = PriceRule['mode'];

/** A tier that changes nothing. */
export const NEUTRAL_PER_MILLE = 1000n;

const MILLI = 1000n;
const MIB_BYTES = 1n << 20n;

/** What default clients pay: their own formula at their own rate. */
export const DEFAULT_PRICE_RULE: PriceRule = {
  mode: 'formula',
  rateMilliSat: DEFAULT_POLICY.price.defaultSatPerMb * MILLI,
};

/**
 * Price of one piece, satoshi; at least 1.
 * @param multiplierPerMille of the torrent's quality tier; 1000 changes nothing.
 */
export function priceByRule(rule: PriceRule, torrent: PricedTorrent, multiplierPerMille = NEUTRAL_PER_MILLE): bigint {
  if (rule.rateMilliSat < 1n || multiplierPerMille < 1n) throw new RangeError('rate and multiplier must be positive');
  switch (rule.mode) {
    case 'piece':
      return ceilDiv(rule.rateMilliSat * multiplierPerMille, MILLI * NEUTRAL_PER_MILLE);
    case 'mib': {
      const scaled = rule.rateMilliSat * BigInt(torrent.pieceLengthBytes) * multiplierPerMille;
      return ceilDiv(scaled, MILLI * MIB_BYTES * NEUTRAL_PER_MILLE);
    }
    case 'formula': {
      // The clients' own rounding first, so that a neutral tier gives exactly their price.
      const price = roundedFormulaPrice(torrent, { numerator: rule.rateMilliSat, denominator: MILLI });
      return ceilDiv(price * multiplierPerMille, NEUTRAL_PER_MILLE);
    }
  }
}

/** Price of a MiB in thousandths of a satoshi, rounded down: what lists are sorted by. */
export function milliSatPerMib(priceSat: bigint, pieceLengthBytes: number): bigint {
  return (priceSat * MIB_BYTES * MILLI) / BigInt(pieceLengthBytes);
}

function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
