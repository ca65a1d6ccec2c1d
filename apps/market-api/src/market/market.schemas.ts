import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { satoshiText } from '../http/schemas.js';

export const marketQuery = z.strictObject({ ...pageQuery });
export type MarketQuery = z.output<typeof marketQuery>;

/** A torrent as anybody may see it: nothing of where the content lies or of what was earned. */
export const marketTorrentSchema = z.object({
  infoHash: z.string(),
  name: z.string(),
  totalBytes: z.int(),
  pieceLengthBytes: z.int(),
  pieceCount: z.int(),
  private: z.boolean(),
  priceSat: satoshiText.meta({ description: 'satoshi per piece' }),
  satPerMib: z.string(),
  totalSat: satoshiText.meta({ description: 'all pieces' }),
  lockUnits: z.int().nullable().meta({ description: 'units of 512 s; null: fitted to the buyer' }),
  minContractFeePerKbSat: satoshiText,
  maxSellers: z.int(),
  available: z.boolean(),
  peers: z.array(z.string()).meta({ description: 'HOST:PORT of the nodes that sell it now' }),
  torrentFile: z.string().meta({ description: 'path of the .torrent file below this API' }),
  magnet: z.string(),
});

export const marketPage = pageOf(marketTorrentSchema);
export type MarketTorrentView = z.output<typeof marketTorrentSchema>;
