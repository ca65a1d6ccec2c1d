import { kMin } from '@seedfleet/payment-channel';
import {
  gateAtJoin,
  isHiddenByClients,
  settlementFeeSat,
  sweepCostSat,
  type FeeEstimates,
  type JoinRefusal,
} from '@seedfleet/policy';
import {
  DEFAULT_BUYER_MAX_FEE_PER_KB_SAT,
  DEFAULT_BUYER_MAX_LOCK_UNITS,
  defaultPriceSat,
  POLICY,
  type EffectiveOffer,
  type PricedContent,
} from './terms-of-sale.js';

/** What a sale at some terms is worth, and whether it is worth making. Pure. */

/** Fees as the fleet knows them now; both absent where nobody told yet. */
export interface FeeOutlook {
  /** F that new channels get. */
  readonly settlementFeeSat?: bigint;
  readonly estimates: FeeEstimates;
}

export interface SaleVerdict {
  /** Sum of all pieces. */
  readonly totalSat: bigint;
  /** F the figures are computed with. */
  readonly settlementFeeSat: bigint;
  /** Of moving its output to the treasury. */
  readonly sweepCostSat: bigint;
  /** First piece whose payment can be collected. */
  readonly kMin: number;
  /** Gross less settlement fee and sweep of a complete sale; negative for a loss. */
  readonly netSat: bigint;
  /** What default buyers object to; empty when they accept. */
  readonly defaultBuyerObjections: readonly DefaultBuyerObjection[];
  /** Why no channel could ever be opened at these terms, however low fees are; null where one could. */
  readonly declined: string | null;
  /** Why no channel is opened at today's fees; null where one is. */
  readonly refusedNow: string | null;
}

export type DefaultBuyerObjection =
  /** Dearer than the price formula of default clients. */
  | 'price-above-formula'
  /** Locked for longer than a default buyer accepts. */
  | 'lock-too-long'
  /** The funding transaction would cost more than a default buyer accepts. */
  | 'contract-fee-too-high'
  /** Default clients hide torrents with so many so small pieces from paid download. */
  | 'hidden-by-clients';

export function saleVerdict(content: PricedContent, terms: EffectiveOffer, fees: FeeOutlook): SaleVerdict {
  const pieces = content.pieceCount;
  const feeSat = terms.settlementFeeSat ?? fees.settlementFeeSat ?? settlementFeeSat(fees.estimates, POLICY);
  const sweepSat = sweepCostSat(fees.estimates, POLICY);
  const totalSat = BigInt(pieces) * terms.priceSat;
  const first = kMin(terms.priceSat, feeSat);
  // A fixed F holds whatever happens to fees; else the lowest F that policy ever quotes decides.
  const lowestFeeSat = terms.settlementFeeSat ?? POLICY.settlementFee.minSat;
  return {
    totalSat,
    settlementFeeSat: feeSat,
    sweepCostSat: sweepSat,
    kMin: first.ok ? first.k : pieces + 1,
    netSat: totalSat - feeSat - sweepSat,
    defaultBuyerObjections: objections(content, terms),
    declined: refusal(pieces, terms.priceSat, lowestFeeSat, 0n),
    refusedNow: refusal(pieces, terms.priceSat, feeSat, sweepSat),
  };
}

function refusal(pieces: number, priceSat: bigint, feeSat: bigint, sweepSat: bigint): string | null {
  const sale = { pieces, priceSat, settlementFeeSat: feeSat, sweepCostSat: sweepSat };
  const verdict = gateAtJoin(sale, POLICY);
  return verdict.ok ? null : inWords(verdict.refusal, pieces, feeSat);
}

function inWords(refused: JoinRefusal, pieces: number, feeSat: bigint): string {
  switch (refused.code) {
    case 'terms-out-of-range':
      return 'price or settlement fee are out of range';
    case 'fee-share-too-high':
      return `settling costs ${refused.feesSat} sat of at most ${refused.grossSat} sat earned`;
    case 'k-min-too-late':
      return refused.kMin > pieces
        ? `all ${pieces} pieces together earn less than a settlement needs (fee ${feeSat} sat)`
        : `the first ${refused.kMin - 1} of ${pieces} pieces would earn nothing collectable (limit ${refused.latest})`;
    case 'net-too-small':
      return `a complete sale would bring only ${refused.netSat} sat`;
  }
}

function objections(content: PricedContent, terms: EffectiveOffer): DefaultBuyerObjection[] {
  const found: DefaultBuyerObjection[] = [];
  if (terms.priceSat > defaultPriceSat(content)) found.push('price-above-formula');
  if (terms.lockUnits !== null && terms.lockUnits > DEFAULT_BUYER_MAX_LOCK_UNITS) found.push('lock-too-long');
  if (terms.minContractFeePerKbSat > DEFAULT_BUYER_MAX_FEE_PER_KB_SAT) found.push('contract-fee-too-high');
  if (isHiddenByClients({ pieceLengthBytes: content.pieceLength, pieces: content.pieceCount })) {
    found.push('hidden-by-clients');
  }
  return found;
}
