import { DEFAULT_POLICY, milliSatPerMib, policyWith, pricePerPieceSat, type Policy } from '@seedfleet/policy';

/** From what an operator set to the terms that nodes sell for. Pure. */

export const POLICY: Policy = policyWith();

/** The newest offer of a torrent as stored; null means "the default". */
export interface StoredOffer {
  readonly version: number;
  readonly priceSat: bigint | null;
  readonly lockUnits: number | null;
  readonly settlementFeeSat: bigint | null;
  readonly minContractFeePerKbSat: bigint | null;
  readonly maxSellers: number | null;
  /** Both, or both null: see `FreeTier`. */
  readonly freeBytesPerDay: bigint | null;
  readonly freeBytesPerPeerDay: bigint | null;
}

/** What each node may give away a day to ordinary leechers: in all, and to one peer. */
export interface FreeTier {
  readonly bytesPerDay: number;
  readonly bytesPerPeerDay: number;
}

/** As an operator sees it; null where nothing is free. */
export function freeTierOf({
  freeBytesPerDay,
  freeBytesPerPeerDay,
}: Pick<StoredOffer, 'freeBytesPerDay' | 'freeBytesPerPeerDay'>): FreeTier | null {
  if (freeBytesPerDay === null || freeBytesPerPeerDay === null) return null;
  return { bytesPerDay: Number(freeBytesPerDay), bytesPerPeerDay: Number(freeBytesPerPeerDay) };
}

/** The part of a torrent that prices depend on. */
export interface PricedContent {
  readonly pieceLength: number;
  readonly pieceCount: number;
}

/** Terms as nodes get them: everything is decided but what depends on the buyer or the fee forecast. */
export interface EffectiveOffer {
  /** 0 where the operator never set an offer. */
  readonly version: number;
  readonly priceSat: bigint;
  /** Null: the longest the buyer accepts, within policy. */
  readonly lockUnits: number | null;
  /** Null: what a settlement costs at the moment the terms are sent. */
  readonly settlementFeeSat: bigint | null;
  readonly minContractFeePerKbSat: bigint;
  readonly maxSellers: number;
  /** Null: not a byte without payment. */
  readonly freeTier: FreeTier | null;
}

/** Most that a default buyer lets the funding transaction cost, satoshi per kB (client behaviour §1). */
export const DEFAULT_BUYER_MAX_FEE_PER_KB_SAT = 1_024n;
/** Longest lock a default buyer accepts, units of 512 s (client behaviour §1). */
export const DEFAULT_BUYER_MAX_LOCK_UNITS = 20;

/** The price that default buyers accept exactly: client behaviour §2. */
export function defaultPriceSat({ pieceLength, pieceCount }: PricedContent): bigint {
  return pricePerPieceSat({ pieceLengthBytes: pieceLength, pieces: pieceCount });
}

/** What a torrent is sold for: the operator's offer, completed by the default terms. */
export function effectiveOffer(content: PricedContent, offer: StoredOffer | null): EffectiveOffer {
  return {
    version: offer?.version ?? 0,
    priceSat: offer?.priceSat ?? defaultPriceSat(content),
    lockUnits: offer?.lockUnits ?? null,
    settlementFeeSat: offer?.settlementFeeSat ?? null,
    minContractFeePerKbSat: offer?.minContractFeePerKbSat ?? DEFAULT_POLICY.terms.minContractFeePerKbSat,
    maxSellers: offer?.maxSellers ?? DEFAULT_POLICY.terms.maxSellers,
    freeTier: offer === null ? null : freeTierOf(offer),
  };
}

/** Largest value of the database's column. */
const MAX_BIGINT = 0x7fff_ffff_ffff_ffffn;

/** What lists of torrents are sorted by when they are sorted by price; null for the default price. */
export function sortPrice(priceSat: bigint | null, content: PricedContent): bigint {
  const price = milliSatPerMib(priceSat ?? defaultPriceSat(content), content.pieceLength);
  return price > MAX_BIGINT ? MAX_BIGINT : price;
}
