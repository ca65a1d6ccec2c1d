import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { satoshiText, timeText } from '../http/schemas.js';
import { searchText } from '../torrents/name-search.js';
import { sortParam, tierName } from '../torrents/torrent.schemas.js';

export const marketQuery = z.strictObject({
  ...pageQuery,
  // A sort key may be a whole name.
  cursor: z.string().max(1_200).optional().meta({ description: '`nextCursor` of the page before' }),
  sort: sortParam,
  search: searchText.optional(),
  tier: tierName.optional(),
  available: z.literal('true').optional().meta({ description: 'only what some node sells now' }),
});
export type MarketQuery = z.output<typeof marketQuery>;

/** A torrent as anybody may see it: nothing of where the content lies or of what was earned. */
export const marketTorrentSchema = z.object({
  infoHash: z.string(),
  name: z.string(),
  totalBytes: z.int(),
  pieceLengthBytes: z.int(),
  pieceCount: z.int(),
  private: z.boolean(),
  tier: z.string(),
  priceSat: satoshiText.meta({ description: 'satoshi per piece' }),
  satPerMib: z.string(),
  satPerGib: satoshiText,
  totalSat: satoshiText.meta({ description: 'all pieces' }),
  lockUnits: z.int().nullable().meta({ description: 'units of 512 s; null: fitted to the buyer' }),
  minContractFeePerKbSat: satoshiText,
  maxSellers: z.int(),
  available: z.boolean(),
  peers: z.array(z.string()).meta({ description: 'HOST:PORT of the nodes that sell it now' }),
  bytesPerSecond: z
    .int()
    .nullable()
    .meta({ description: 'how fast pieces left for buyers over the last week, per buyer; null: none was sold' }),
  torrentFile: z.string().meta({ description: 'path of the .torrent file below this API' }),
  magnet: z.string().meta({ description: 'with the addresses of nodes, as x.pe' }),
});

export const marketPage = pageOf(marketTorrentSchema);
export type MarketTorrentView = z.output<typeof marketTorrentSchema>;

export const pricesQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,8}$/)
    .optional()
    .meta({ description: '`nextCursor` of the page before' }),
});
export type PricesQuery = z.output<typeof pricesQuery>;

export const pricePointSchema = z.object({
  priceSat: satoshiText.meta({ description: 'satoshi per piece' }),
  satPerMib: z.string(),
  totalSat: satoshiText,
  since: timeText,
});
export const pricesPage = pageOf(pricePointSchema);
export type PricePointView = z.output<typeof pricePointSchema>;
