import { z } from 'zod';
import { pageQuery } from '../http/cursor.js';
import { infoHashText, satoshiText } from '../http/schemas.js';

export const revenueQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: infoHashText.optional().meta({ description: '`nextCursor` of the page before' }),
  infoHash: infoHashText.optional().meta({ description: 'only this torrent' }),
});
export type RevenueQuery = z.output<typeof revenueQuery>;

export const figuresSchema = z.object({
  sales: z.int().meta({ description: 'channels in which at least one piece was paid' }),
  piecesPaid: z.int(),
  revenueSat: satoshiText.meta({ description: 'gross: Σ k·P; the sum of all figures below but `atRiskSat`' }),
  uncollectableSat: satoshiText.meta({ description: 'of running channels below their first collectable payment' }),
  collectableSat: satoshiText.meta({ description: 'k·P − F of running channels' }),
  expectedFeesSat: satoshiText.meta({ description: 'F of the same channels, and of settlements sent, not yet mined' }),
  broadcastSat: satoshiText.meta({ description: 'k·P − F of settlements sent, not yet mined' }),
  settledSat: satoshiText.meta({ description: 'k·P − F of settlements mined, not yet buried' }),
  collectedSat: satoshiText.meta({
    description:
      'k·P − F of buried settlements, also after they were swept; less the fees of children, sweeps and splits',
  }),
  feesSat: satoshiText.meta({ description: 'F of settlements mined or buried, and of children that paid for them' }),
  atRiskSat: satoshiText.meta({ description: 'k·P of channels in trouble; the other figures hold it too' }),
  lostSat: satoshiText.meta({ description: 'k·P that never arrives: ended too early to pay out, or went elsewhere' }),
});

export const torrentRevenueSchema = figuresSchema.extend({ infoHash: z.string(), name: z.string().nullable() });

export const revenueSchema = z.object({
  /** Over all torrents, also those of other pages and outside the filter. */
  totals: figuresSchema,
  items: z.array(torrentRevenueSchema),
  nextCursor: z.string().nullable(),
});

export type FiguresView = z.output<typeof figuresSchema>;
export type TorrentRevenueView = z.output<typeof torrentRevenueSchema>;
export type RevenueView = z.output<typeof revenueSchema>;
