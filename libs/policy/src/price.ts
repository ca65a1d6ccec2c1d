import { DEFAULT_POLICY } from './defaults.js';

/**
 * The price formula that every default client uses (client behaviour §2), in exact rational arithmetic:
 *
 *   floorSum = max(0.2 · size in MB · rate, 547)       after a fifth of the pieces the seller's output is above dust
 *   exact    = (floorSum + settlement fee) / (0.2 · pieces)
 *   price    = ceil(exact) + 1
 *
 * Charging one satoshi more excludes every default buyer; charging less is always accepted.
 */

/** Bytes of the formula's MB. */
const MB_BYTES = 1n << 20n;

/** First amount above the reference's dust constant, satoshi. */
const ABOVE_DUST_SAT = 547n;

/** The formula's 0.2 is one fifth. */
const FIFTH = 5n;

export interface PricedTorrent {
  readonly pieceLengthBytes: number;
  /** At least 1. */
  readonly pieces: number;
}

/** A non-negative fraction, not reduced. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * Price of one piece, satoshi.
 * @param satPerMb rate, satoshi per 2^20 bytes.
 * @param settlementFeeSat the fee inside the formula: 450 for all default clients, whatever F we ask.
 */
export function pricePerPieceSat(
  torrent: PricedTorrent,
  satPerMb: bigint = DEFAULT_POLICY.price.defaultSatPerMb,
  settlementFeeSat: bigint = DEFAULT_POLICY.price.formulaSettlementFeeSat,
): bigint {
  return ceil(exactPrice(torrent, satPerMb, settlementFeeSat)) + 1n;
}

/** The same with a rate that need not be whole, and the fee of default clients. */
export function roundedFormulaPrice(torrent: PricedTorrent, satPerMb: Rational): bigint {
  return ceil(formula(torrent, satPerMb, DEFAULT_POLICY.price.formulaSettlementFeeSat)) + 1n;
}

/** The formula before rounding. Clients hide torrents from paid download where it is below 1. */
export function exactPrice(torrent: PricedTorrent, satPerMb: bigint, settlementFeeSat: bigint): Rational {
  return formula(torrent, { numerator: satPerMb, denominator: 1n }, settlementFeeSat);
}

function formula(torrent: PricedTorrent, satPerMb: Rational, settlementFeeSat: bigint): Rational {
  const { pieceLengthBytes, pieces } = torrent;
  if (!Number.isSafeInteger(pieces) || pieces < 1) throw new RangeError('a torrent has at least one piece');
  if (!Number.isSafeInteger(pieceLengthBytes) || pieceLengthBytes < 1)
    throw new RangeError('piece length must be positive');
  const fifthOfRateSum: Rational = {
    numerator: BigInt(pieceLengthBytes) * BigInt(pieces) * satPerMb.numerator,
    denominator: FIFTH * MB_BYTES * satPerMb.denominator,
  };
  const floorSum = atLeast(fifthOfRateSum, ABOVE_DUST_SAT);
  return {
    numerator: (floorSum.numerator + settlementFeeSat * floorSum.denominator) * FIFTH,
    denominator: floorSum.denominator * BigInt(pieces),
  };
}

/** Whether default clients hide the torrent from paid download (price below one satoshi before rounding). */
export function isHiddenByClients(torrent: PricedTorrent): boolean {
  const { defaultSatPerMb, formulaSettlementFeeSat } = DEFAULT_POLICY.price;
  const exact = exactPrice(torrent, defaultSatPerMb, formulaSettlementFeeSat);
  return exact.numerator < exact.denominator;
}

function atLeast(value: Rational, floor: bigint): Rational {
  return value.numerator < floor * value.denominator ? { numerator: floor, denominator: 1n } : value;
}

function ceil({ numerator, denominator }: Rational): bigint {
  return (numerator + denominator - 1n) / denominator;
}
