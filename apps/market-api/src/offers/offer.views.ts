import { breakEvenRateSatPerKvb, smallestSensiblePieces } from '@seedfleet/policy';
import type { OfferRow } from './offer.repository.js';
import { originView } from './price-rule.schemas.js';
import { satPerMib } from './price-per-size.js';
import { saleVerdict, type FeeOutlook } from './sale-verdict.js';
import {
  defaultPriceSat,
  effectiveOffer,
  freeTierOf,
  POLICY,
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
    price: originView(row),
    lockUnits: row.lockUnits,
    settlementFeeSat: row.settlementFeeSat?.toString() ?? null,
    minContractFeePerKbSat: row.minContractFeePerKbSat?.toString() ?? null,
    maxSellers: row.maxSellers,
    freeTier: freeTierOf(row),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}

export function economicsView(content: PricedContent, terms: EffectiveOffer, fees: FeeOutlook) {
  const verdict = saleVerdict(content, terms, fees);
  const sale = { pieces: content.pieceCount, priceSat: terms.priceSat };
  const { settlementFeeSat, sweepCostSat } = verdict;
  return {
    totalSat: verdict.totalSat.toString(),
    satPerGib: ((terms.priceSat << 30n) / BigInt(content.pieceLength)).toString(),
    settlementFeeSat: settlementFeeSat.toString(),
    sweepCostSat: sweepCostSat.toString(),
    kMin: verdict.kMin,
    earnsNothingPerMille: Math.min(1000, Math.floor(((verdict.kMin - 1) * 1000) / content.pieceCount)),
    netSat: verdict.netSat.toString(),
    breakEvenFeeRateSatPerKvb:
      breakEvenRateSatPerKvb(sale, POLICY, terms.settlementFeeSat ?? undefined)?.toString() ?? null,
    smallestSensiblePieces: smallestSensiblePieces({ ...sale, settlementFeeSat, sweepCostSat }, POLICY),
    defaultPriceSat: defaultPriceSat(content).toString(),
    acceptedByDefaultBuyers: verdict.defaultBuyerObjections.length === 0,
    objections: [...verdict.defaultBuyerObjections],
    declined: verdict.declined,
    refusedNow: verdict.refusedNow,
  };
}

export function offerView(infoHash: string, content: PricedContent, row: OfferRow | null, fees: FeeOutlook) {
  const terms = effectiveOffer(content, row);
  return {
    infoHash,
    set: row === null ? null : offerVersionView(row),
    effective: effectiveOfferView(terms, content.pieceLength),
    economics: economicsView(content, terms, fees),
  };
}
