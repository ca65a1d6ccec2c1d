import { MAX_MONEY_SAT } from '@seedfleet/payment-channel';
import { DEFAULT_PRICE_RULE, NEUTRAL_PER_MILLE, priceByRule, type PriceRule } from '@seedfleet/policy';
import { ruleOfOrigin, type PriceOrigin } from './price-rule.schemas.js';
import { defaultPriceSat, type PricedContent } from './terms-of-sale.js';

/** From what an operator asks to the price that is stored. Pure. */

/** A torrent as its price depends on it. */
export interface PricedTorrentRow extends PricedContent {
  readonly tier: string;
  /** Of its tier. */
  readonly multiplierPerMille: number;
}

export type AskedPrice =
  /** Exactly this for a piece, whatever the tier. */
  | { readonly kind: 'exact'; readonly priceSat: bigint }
  /** What default buyers accept, times the tier's multiplier. */
  | { readonly kind: 'default' }
  | { readonly kind: 'rule'; readonly rule: PriceRule };

export interface ResolvedPrice extends PriceOrigin {
  /** Null: the default price, whatever that will be. */
  readonly priceSat: bigint | null;
}

const NO_RULE: PriceOrigin = { priceMode: null, rateMilliSat: null, tier: null, multiplierPerMille: null };

export function resolvePrice(asked: AskedPrice, torrent: PricedTorrentRow): ResolvedPrice {
  if (asked.kind === 'exact') return { priceSat: asked.priceSat, ...NO_RULE };
  const { tier, multiplierPerMille } = torrent;
  if (asked.kind === 'default' && BigInt(multiplierPerMille) === NEUTRAL_PER_MILLE) {
    return { priceSat: null, ...NO_RULE };
  }
  const rule = asked.kind === 'default' ? DEFAULT_PRICE_RULE : asked.rule;
  const content = { pieceLengthBytes: torrent.pieceLength, pieces: torrent.pieceCount };
  return {
    priceSat: priceByRule(rule, content, BigInt(multiplierPerMille)),
    priceMode: rule.mode,
    rateMilliSat: rule.rateMilliSat,
    tier,
    multiplierPerMille,
  };
}

/** Whether all pieces together would cost more than all money there is. */
export function exceedsAllMoney(priceSat: bigint | null, content: PricedContent): boolean {
  return (priceSat ?? defaultPriceSat(content)) * BigInt(content.pieceCount) > MAX_MONEY_SAT;
}

/** What was asked when this offer was made; an exact price stays one. */
export function askedAgain(offer: (PriceOrigin & { readonly priceSat: bigint | null }) | null): AskedPrice {
  if (offer === null) return { kind: 'default' };
  const rule = ruleOfOrigin(offer);
  if (rule !== null) return { kind: 'rule', rule };
  return offer.priceSat === null ? { kind: 'default' } : { kind: 'exact', priceSat: offer.priceSat };
}

/** Whether terms are those that already hold, so that no version need be added. */
export function sameTerms<T extends object>(present: T | null, terms: Partial<Record<keyof T, unknown>>): boolean {
  const names = Object.keys(terms) as (keyof T)[];
  return names.every((name) => (present?.[name] ?? null) === (terms[name] ?? null));
}
