import { satoshi } from '@seedfleet/bus';
import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { satoshiText, timeText } from '../http/schemas.js';
import { priceRuleBody, priceRuleSchema } from './price-rule.schemas.js';
import { POLICY } from './terms-of-sale.js';

/** Highest number of sellers that the database's 32-bit column holds; far beyond what a buyer asks. */
const MAX_SELLERS = 0x7fff_ffff;

/** Far beyond any disk, and exact as a JSON number. */
const MAX_FREE_BYTES = 2 ** 50;
const freeBytes = z.int().min(1).max(MAX_FREE_BYTES);
const freeTierSchema = z.object({
  bytesPerDay: z.int().meta({ description: 'bytes that each node may give away in a day (UTC)' }),
  bytesPerPeerDay: z.int().meta({ description: 'bytes of them for one IPv4 address or IPv6 /48' }),
});

const priceSat = satoshi.refine((price) => price > 0n, 'must be at least 1 satoshi');
const lockUnits = z
  .int()
  .min(1)
  .max(POLICY.lock.maxUnits, `must be at most ${POLICY.lock.maxUnits}: a longer one only keeps deposits locked`);
const settlementFeeSat = satoshi.refine((fee) => fee >= POLICY.settlementFee.minSat, {
  message: `must be at least ${POLICY.settlementFee.minSat}: a cheaper settlement is not relayed`,
});
const maxSellers = z.int().min(1).max(MAX_SELLERS);
const freeTierBody = z
  .strictObject({ bytesPerDay: freeBytes, bytesPerPeerDay: freeBytes })
  .refine((free) => free.bytesPerPeerDay <= free.bytesPerDay, {
    message: 'must not be more than bytesPerDay',
    path: ['bytesPerPeerDay'],
  });

/** Terms that an edit of many torrents changes; what is left out stays as it is, null is the default. */
export const termsChange = {
  priceSat: priceSat.nullable().optional(),
  price: priceRuleBody.optional(),
  lockUnits: lockUnits.nullable().optional(),
  settlementFeeSat: settlementFeeSat.nullable().optional(),
  minContractFeePerKbSat: satoshi.nullable().optional(),
  maxSellers: maxSellers.nullable().optional(),
  freeTier: freeTierBody.nullable().optional(),
};

/** What an operator sets. What is left out or null is sold at the default. */
const setTerms = z.strictObject({
  priceSat: priceSat
    .nullable()
    .default(null)
    .meta({ description: 'satoshi per piece, whatever the tier; null: by `price`, else what default buyers accept' }),
  price: priceRuleBody.nullable().default(null),
  lockUnits: lockUnits
    .nullable()
    .default(null)
    .meta({ description: 'lock in units of 512 s; null: the longest the buyer accepts, within policy' }),
  settlementFeeSat: settlementFeeSat
    .nullable()
    .default(null)
    .meta({ description: 'mining fee of a settlement; null: by the fee estimate of the moment' }),
  minContractFeePerKbSat: satoshi
    .nullable()
    .default(null)
    .meta({ description: 'fee rate the funding transaction must pay; default buyers refuse more than 1024' }),
  maxSellers: maxSellers.nullable().default(null).meta({ description: 'sellers in one funding transaction' }),
  freeTier: freeTierBody
    .nullable()
    .default(null)
    .meta({ description: 'what each node gives away to ordinary leechers, per day (UTC); null: nothing' }),
});
export const setOfferBody = setTerms.refine(({ priceSat, price }) => priceSat === null || price === null, {
  message: 'give priceSat or price, not both',
  path: ['price'],
});
export type SetOfferBody = z.output<typeof setOfferBody>;

export const effectiveOfferSchema = z.object({
  version: z.int(),
  priceSat: satoshiText,
  satPerMib: z.string(),
  lockUnits: z.int().nullable(),
  settlementFeeSat: satoshiText.nullable(),
  minContractFeePerKbSat: satoshiText,
  maxSellers: z.int(),
  freeTier: freeTierSchema.nullable(),
});

export const offerVersionSchema = z.object({
  version: z.int(),
  priceSat: satoshiText.nullable(),
  price: priceRuleSchema.nullable().meta({ description: 'the rule that gave the price; null: none' }),
  lockUnits: z.int().nullable(),
  settlementFeeSat: satoshiText.nullable(),
  minContractFeePerKbSat: satoshiText.nullable(),
  maxSellers: z.int().nullable(),
  freeTier: freeTierSchema.nullable(),
  createdBy: z.string(),
  createdAt: timeText,
});

/** What a complete sale is worth at today's fees. */
export const economicsSchema = z.object({
  totalSat: satoshiText,
  satPerGib: satoshiText,
  settlementFeeSat: satoshiText,
  sweepCostSat: satoshiText.meta({ description: 'of moving a settlement’s output to the treasury' }),
  kMin: z.int().meta({ description: 'first piece whose payment can be collected' }),
  earnsNothingPerMille: z
    .int()
    .min(0)
    .max(1000)
    .meta({ description: 'share of a complete sale’s pieces that come before kMin, in thousandths' }),
  netSat: satoshiText.meta({ description: 'totalSat less settlement and sweep; negative for a loss' }),
  breakEvenFeeRateSatPerKvb: satoshiText
    .nullable()
    .meta({ description: 'fee rate above which a complete sale costs more than it brings; null: at any rate' }),
  smallestSensiblePieces: z
    .int()
    .nullable()
    .meta({ description: 'pieces after which the chain takes no more than a quarter; null: never' }),
  defaultPriceSat: satoshiText,
  acceptedByDefaultBuyers: z.boolean(),
  objections: z.array(z.string()),
  declined: z.string().nullable(),
  refusedNow: z.string().nullable(),
});

export const offerSchema = z.object({
  infoHash: z.string(),
  /** What the operator set; null where the torrent sells at default terms. */
  set: offerVersionSchema.nullable(),
  effective: effectiveOfferSchema,
  economics: economicsSchema,
});

export const setOfferQuery = z.strictObject({
  dryRun: z.literal('true').optional().meta({ description: 'only say what it would come to' }),
});
export type SetOfferQuery = z.output<typeof setOfferQuery>;

export const listOffersQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,9}$/)
    .refine((text) => Number(text) <= 0x7fff_ffff)
    .optional()
    .meta({ description: '`nextCursor` of the page before' }),
});
export type ListOffersQuery = z.output<typeof listOffersQuery>;
export const offerHistoryPage = pageOf(offerVersionSchema);
