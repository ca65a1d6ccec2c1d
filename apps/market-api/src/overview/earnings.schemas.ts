import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { infoHashText, satoshiText, timeText } from '../http/schemas.js';
import { EARNER_SORTS, type Earnings } from './earnings.repository.js';

/** Two weeks of hours or a good year of days: as much as a chart can show. */
const MAX_PERIODS = 400;

export const seriesQuery = z.strictObject({
  period: z.enum(['hour', 'day']).default('day'),
  count: z.coerce.number().int().min(1).max(MAX_PERIODS).default(30).meta({ description: 'periods, up to now' }),
  infoHash: infoHashText.optional().meta({ description: 'only this torrent' }),
});

export const earningsSchema = z.object({
  channels: z.int(),
  pieces: z.int(),
  revenueSat: satoshiText.meta({ description: 'all payments verified; the sum of all figures below' }),
  accruedSat: satoshiText.meta({ description: 'of running channels below their first collectable payment' }),
  collectableSat: satoshiText.meta({ description: 'of channels to be settled, after fees' }),
  feesReservedSat: satoshiText.meta({ description: 'mining fees of settlements to come' }),
  broadcastSat: satoshiText.meta({ description: 'settlements sent, not yet mined' }),
  confirmedSat: satoshiText.meta({ description: 'settlements mined, not yet buried' }),
  collectedSat: satoshiText.meta({ description: 'settlements buried' }),
  feesSat: satoshiText.meta({ description: 'mining fees of settlements sent' }),
  uncollectableSat: satoshiText.meta({ description: 'too little to settle' }),
  lostSat: satoshiText,
});

export const seriesSchema = z.object({
  period: z.enum(['hour', 'day']),
  /** Every period, also those in which nothing was booked; oldest first. */
  items: z.array(earningsSchema.extend({ start: timeText })),
  total: earningsSchema,
});

export const earnersQuery = z.strictObject({
  ...pageQuery,
  sort: z.enum(EARNER_SORTS).default('revenue'),
  search: z
    .string()
    .min(1)
    .max(100)
    .regex(/^\P{C}+$/u, 'must be printable')
    .optional()
    .meta({ description: 'part of the name, or the beginning of the infohash' }),
});

/** Days of an earner's small chart. */
export const SPARK_DAYS = 30;

export const earnerSchema = earningsSchema.extend({
  infoHash: z.string(),
  name: z.string().nullable(),
  days: z.array(satoshiText).meta({ description: `revenue of each of the last ${SPARK_DAYS} days, oldest first` }),
});
export const earnersPage = pageOf(earnerSchema);

export function earningsView(earnings: Earnings | undefined): z.output<typeof earningsSchema> {
  const text = (name: Exclude<keyof Earnings, 'channels'>) => (earnings?.[name] ?? 0n).toString();
  return {
    channels: earnings?.channels ?? 0,
    pieces: Number(earnings?.pieces ?? 0n),
    revenueSat: text('revenueSat'),
    accruedSat: text('accruedSat'),
    collectableSat: text('collectableSat'),
    feesReservedSat: text('settlementFeeReservedSat'),
    broadcastSat: text('broadcastSat'),
    confirmedSat: text('confirmedSat'),
    collectedSat: text('buriedSat'),
    feesSat: text('settlementFeeSat'),
    uncollectableSat: text('uncollectableSat'),
    lostSat: text('lostSat'),
  };
}
