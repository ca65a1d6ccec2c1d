import { satoshi } from '@seedfleet/bus';
import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { satoshiText, timeText } from '../http/schemas.js';
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

/** What an operator sets. What is left out or null is sold at the default. */
export const setOfferBody = z.strictObject({
  priceSat: satoshi
    .nullable()
    .default(null)
    .refine((price) => price === null || price > 0n, 'must be at least 1 satoshi')
    .meta({ description: 'satoshi per piece; null: what default buyers accept' }),
  lockUnits: z
    .int()
    .min(1)
    .max(POLICY.lock.maxUnits, `must be at most ${POLICY.lock.maxUnits}: a longer one only keeps deposits locked`)
    .nullable()
    .default(null)
    .meta({ description: 'lock in units of 512 s; null: the longest the buyer accepts, within policy' }),
  settlementFeeSat: satoshi
    .nullable()
    .default(null)
    .refine((fee) => fee === null || fee >= POLICY.settlementFee.minSat, {
      message: `must be at least ${POLICY.settlementFee.minSat}: a cheaper settlement is not relayed`,
    })
    .meta({ description: 'mining fee of a settlement; null: by the fee estimate of the moment' }),
  minContractFeePerKbSat: satoshi
    .nullable()
    .default(null)
    .meta({ description: 'fee rate the funding transaction must pay; default buyers refuse more than 1024' }),
  maxSellers: z
    .int()
    .min(1)
    .max(MAX_SELLERS)
    .nullable()
    .default(null)
    .meta({ description: 'sellers in one funding transaction' }),
  freeTier: z
    .strictObject({ bytesPerDay: freeBytes, bytesPerPeerDay: freeBytes })
    .refine((free) => free.bytesPerPeerDay <= free.bytesPerDay, {
      message: 'must not be more than bytesPerDay',
      path: ['bytesPerPeerDay'],
    })
    .nullable()
    .default(null)
    .meta({ description: 'what each node gives away to ordinary leechers, per day (UTC); null: nothing' }),
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
  lockUnits: z.int().nullable(),
  settlementFeeSat: satoshiText.nullable(),
  minContractFeePerKbSat: satoshiText.nullable(),
  maxSellers: z.int().nullable(),
  freeTier: freeTierSchema.nullable(),
  createdBy: z.string(),
  createdAt: timeText,
});

export const offerSchema = z.object({
  infoHash: z.string(),
  /** What the operator set; null where the torrent sells at default terms. */
  set: offerVersionSchema.nullable(),
  effective: effectiveOfferSchema,
  /** What a complete sale is worth at today's fees. */
  economics: z.object({
    totalSat: satoshiText,
    settlementFeeSat: satoshiText,
    kMin: z.int().meta({ description: 'first piece whose payment can be collected' }),
    netSat: satoshiText,
    defaultPriceSat: satoshiText,
    acceptedByDefaultBuyers: z.boolean(),
    objections: z.array(z.string()),
    declined: z.string().nullable(),
    refusedNow: z.string().nullable(),
  }),
});

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
