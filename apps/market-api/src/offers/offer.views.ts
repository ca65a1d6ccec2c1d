import type { OfferRow } from './offer.repository.js';
import { satPerMib } from './price-per-size.js';
import { saleVerdict, type FeeOutlook } from './sale-verdict.js';
import {
  defaultPriceSat,
  effectiveOffer,
  freeTierOf,
  type EffectiveOffer,
  type PricedContent,
} from './terms-of-sale.js';

/** How offers look in answers. */

export function effectiveOfferView(terms: EffectiveOffer, pieceLengthBytes: number) {
  return {
    version: terms.version,
    priceSat: terms.priceSat.toString(),
    satPerMib: satPerMib(terms.priceSat, pieceLengthBytes),
    lockUnits: terms.lockUnits,
    settlementFeeSat: terms.settlementFeeSat?.toString() ?? null,
    minContractFeePerKbSat: terms.minContractFeePerKbSat.toString(),
    maxSellers: terms.maxSellers,
    freeTier: terms.freeTier,
  };
}

export function offerVersionView(row: OfferRow) {
  return {
    version: row.version,
    priceSat: row.priceSat?.toString() ?? null,
    lockUnits: row.lockUnits,
    settlementFeeSat: row.settlementFeeSat?.toString() ?? null,
    minContractFeePerKbSat: row.minContractFeePerKbSat?.toString() ?? null,
    maxSellers: row.maxSellers,
    freeTier: freeTierOf(row),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}

export function offerView(infoHash: string, content: PricedContent, row: OfferRow | null, fees: FeeOutlook) {
  const terms = effectiveOffer(content, row);
  const verdict = saleVerdict(content, terms, fees);
  return {
    infoHash,
    set: row === null ? null : offerVersionView(row),
    effective: effectiveOfferView(terms, content.pieceLength),
    economics: {
      totalSat: verdict.totalSat.toString(),
      settlementFeeSat: verdict.settlementFeeSat.toString(),
      kMin: verdict.kMin,
      netSat: verdict.netSat.toString(),
      defaultPriceSat: defaultPriceSat(content).toString(),
      acceptedByDefaultBuyers: verdict.defaultBuyerObjections.length === 0,
      objections: [...verdict.defaultBuyerObjections],
      declined: verdict.declined,
      refusedNow: verdict.refusedNow,
    },
  };
}
