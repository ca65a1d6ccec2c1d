import { EXPLAINED_FIGURES } from '@seedfleet/books';
import { nodeId } from '@seedfleet/bus';
import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { infoHashText, satoshiText, timeText } from '../http/schemas.js';
import { searchText } from '../torrents/name-search.js';
import { label, tierName } from '../torrents/torrent.schemas.js';
import { periodQuery } from './period.js';
import { RANKINGS } from './torrent-ranking.js';

const MAX_SPARK_DAYS = 90;

export const figuresSchema = z.object({
  channels: z.int().meta({ description: 'channels in which a first payment came' }),
  pieces: z.int().meta({ description: 'pieces paid' }),
  revenueSat: satoshiText.meta({ description: 'Σ k·P; the sum of the next ten' }),
  accruedSat: satoshiText.meta({ description: 'paid, but still below what a settlement would pay out' }),
  collectableSat: satoshiText.meta({ description: 'k·P − F of channels that are not being settled yet' }),
  feesReservedSat: satoshiText.meta({ description: 'F of what is collectable or broadcast' }),
  broadcastSat: satoshiText.meta({ description: 'settlements sent, not mined' }),
  settledSat: satoshiText.meta({ description: 'settlements mined, not buried' }),
  buriedSat: satoshiText.meta({ description: 'settlements buried: final; less what has left payout keys since' }),
  feesSat: satoshiText.meta({ description: 'mining fees spent on settlements, children, sweeps and splits' }),
  uncollectableSat: satoshiText.meta({ description: 'of channels that ended below what a settlement pays out' }),
  lostSat: satoshiText.meta({ description: 'was collectable and went elsewhere' }),
  sweptSat: satoshiText.meta({ description: 'brought to the operator’s own wallet' }),
  restatedSat: satoshiText.meta({ description: 'had been mined and was reorganised away; in the others already' }),
});
export type FiguresView = z.output<typeof figuresSchema>;

export const profitSchema = z.object({
  soldBytes: z.string().meta({ description: 'of the pieces that were paid, decimal' }),
  bandwidthCostSat: satoshiText,
  diskCostSat: satoshiText.meta({ description: 'for the copies that nodes hold now, over the whole period' }),
  profitSat: satoshiText.meta({ description: 'settledSat + buriedSat + sweptSat − bandwidth − disk' }),
});
export type ProfitView = z.output<typeof profitSchema>;

export const totalReport = figuresSchema.extend({ profit: profitSchema, asOf: timeText });
export const totalQuery = z.strictObject({ ...periodQuery });
export type TotalQuery = z.output<typeof totalQuery>;

export const torrentReportItem = figuresSchema.extend({
  infoHash: z.string(),
  name: z.string().nullable().meta({ description: 'null for a torrent that this fleet does not know' }),
  profit: profitSchema,
  revenueByDay: z.array(satoshiText).meta({ description: 'of each of the last sparkDays days, oldest first' }),
});
export const torrentReport = pageOf(torrentReportItem);
export const torrentReportQuery = z.strictObject({
  ...pageQuery,
  ...periodQuery,
  sort: z.enum(RANKINGS).default('revenue').meta({ description: 'most first' }),
  search: searchText.optional(),
  label: label.optional(),
  tier: tierName.optional(),
  infoHash: infoHashText.optional().meta({ description: 'only this torrent' }),
  sparkDays: z.coerce.number().int().min(0).max(MAX_SPARK_DAYS).default(0),
});
export type TorrentReportQuery = z.output<typeof torrentReportQuery>;

const keyCursor = z.string().max(400).optional().meta({ description: '`nextCursor` of the page before' });
export const keyedQuery = z.strictObject({ limit: pageQuery.limit, cursor: keyCursor, ...periodQuery });
export type KeyedQuery = z.output<typeof keyedQuery>;

export const nodeReport = pageOf(figuresSchema.extend({ nodeId: z.string() }));
export const buyerReport = pageOf(
  figuresSchema.extend({ buyer: z.string().meta({ description: 'the /24 or /48 that the buyers’ addresses are in' }) }),
);
export const labelReport = pageOf(
  figuresSchema.extend({ label: z.string(), torrents: z.int(), profit: profitSchema.nullable() }),
);
export const dayReport = pageOf(figuresSchema.extend({ day: z.string() }));

const subnet = z
  .string()
  .max(64)
  .regex(/^[0-9a-f.:]+\/\d{1,3}$/);
export const dayReportQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: z
    .string()
    .regex(/^20\d\d-\d\d-\d\d$/)
    .refine((text) => !Number.isNaN(Date.parse(text)))
    .optional()
    .meta({ description: '`nextCursor` of the page before' }),
  ...periodQuery,
  infoHash: infoHashText.optional(),
  nodeId: nodeId.optional(),
  buyer: subnet.optional(),
});
export type DayReportQuery = z.output<typeof dayReportQuery>;

export const explainQuery = z.strictObject({
  ...pageQuery,
  ...periodQuery,
  figure: z.enum(EXPLAINED_FIGURES),
  infoHash: infoHashText.optional(),
  nodeId: nodeId.optional(),
  buyer: subnet.optional(),
});
export type ExplainQuery = z.output<typeof explainQuery>;

export const explanation = z.object({
  figure: z.enum(EXPLAINED_FIGURES),
  totalSat: satoshiText.meta({
    description: 'as the reports show it; the items of all pages and treasurySat add up to it',
  }),
  treasurySat: satoshiText.meta({
    description: 'what sweeps and splits, which belong to no channel, add to it; 0 but for the fleet',
  }),
  items: z.array(
    z.object({
      channelId: z.string(),
      infoHash: z.string(),
      nodeId: z.string(),
      buyer: z.string(),
      state: z.string(),
      amountSat: satoshiText,
      postings: z.int(),
      fundingTxid: z.string().nullable(),
      settlementTxid: z.string().nullable(),
      createdAt: timeText,
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type Explanation = z.output<typeof explanation>;

export const channelBooks = z.object({
  channelId: z.string(),
  balances: z.record(z.string(), satoshiText).meta({ description: 'what each account holds of the channel now' }),
  postings: z.array(
    z.object({
      id: z.string(),
      at: timeText,
      state: z.string(),
      reason: z.string(),
      entries: z.record(z.string(), satoshiText).meta({ description: 'they add up to 0' }),
    }),
  ),
  more: z.boolean().meta({ description: 'there are older postings than those shown' }),
});
export type ChannelBooks = z.output<typeof channelBooks>;
