import { askedAgain, resolvePrice, type AskedPrice } from './asked-price.js';
import type { BulkRow } from './bulk-edit.repository.js';
import type { BulkChange } from './bulk-edit.schemas.js';
import type { OfferTerms } from './offer.repository.js';
import { freeColumns } from './free-columns.js';
import { ruleOf } from './price-rule.schemas.js';

const DEFAULT_TERMS = {
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: null,
  maxSellers: null,
  freeBytesPerDay: null,
  freeBytesPerPeerDay: null,
} as const;

/** A torrent's terms after a change that says nothing of the rest. Pure. */
export function changedTerms(row: BulkRow, change: BulkChange): OfferTerms {
  const { lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier } = change;
  const old = row.offer ?? { ...DEFAULT_TERMS };
  return {
    ...priceAfter(row, change),
    lockUnits: lockUnits === undefined ? old.lockUnits : lockUnits,
    settlementFeeSat: settlementFeeSat === undefined ? old.settlementFeeSat : settlementFeeSat,
    minContractFeePerKbSat: minContractFeePerKbSat === undefined ? old.minContractFeePerKbSat : minContractFeePerKbSat,
    maxSellers: maxSellers === undefined ? old.maxSellers : maxSellers,
    ...(freeTier === undefined
      ? { freeBytesPerDay: old.freeBytesPerDay, freeBytesPerPeerDay: old.freeBytesPerPeerDay }
      : freeColumns(freeTier)),
  };
}

function priceAfter(row: BulkRow, change: BulkChange) {
  const asked = askedBy(row, change);
  if (asked !== undefined) return resolvePrice(asked, row);
  const { priceSat, priceMode, rateMilliSat, tier, multiplierPerMille } = row.offer ?? NO_PRICE;
  return { priceSat, priceMode, rateMilliSat, tier, multiplierPerMille };
}

const NO_PRICE = { priceSat: null, priceMode: null, rateMilliSat: null, tier: null, multiplierPerMille: null };

function askedBy(row: BulkRow, { priceSat, price, reprice }: BulkChange): AskedPrice | undefined {
  if (price !== undefined) return { kind: 'rule', rule: ruleOf(price) };
  if (priceSat !== undefined) return priceSat === null ? { kind: 'default' } : { kind: 'exact', priceSat };
  return reprice === true ? askedAgain(row.offer) : undefined;
}
