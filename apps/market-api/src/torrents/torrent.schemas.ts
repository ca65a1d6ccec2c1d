import { readSourceAddress } from '@seedfleet/bittorrent';
import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { satoshiText, timeText } from '../http/schemas.js';
import { effectiveOfferSchema } from '../offers/offer.schemas.js';
import { searchText } from './name-search.js';
import { SALE_STATES } from './sale-state.js';
import { TORRENT_SORTS } from './torrent-order.js';

/** Largest .torrent file: with 20 bytes per piece, 800,000 pieces. */
export const MAX_METAINFO_BYTES = 16 * 1024 * 1024;

export const tierName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lowercase letters, digits and - up to 32')
  .meta({ description: 'quality tier' });

const MAX_LABELS = 20;
export const label = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:/-]{0,39}$/u, 'letters, digits and . _ : / - up to 40');

export const labelsSchema = z
  .array(label)
  .max(MAX_LABELS)
  .refine((labels) => new Set(labels).size === labels.length, 'must not repeat')
  .meta({ description: 'words to group torrents by' });

/** A place on the nodes' file system, or an address: checked by the nodes, which are other machines. */
export const contentPathSchema = z
  .string()
  .max(4_096)
  .refine(
    (text) => /^\/[^\0]*$/.test(text) || readSourceAddress(text) !== undefined,
    'must be an absolute path, or an http(s) address without user and fragment',
  )
  .meta({
    description:
      'where nodes find the content: the file, or the folder that holds what the torrent names; or the HTTP(S) address ' +
      'that they fetch it from, such as a signed link, whose query is never shown again',
  });

export const addTorrentBody = z.strictObject({
  metainfo: z
    .base64()
    .min(1)
    .max(Math.ceil(MAX_METAINFO_BYTES / 3) * 4)
    .meta({ description: 'the .torrent file, base64' }),
  contentPath: contentPathSchema,
  labels: labelsSchema.optional(),
  tier: tierName.optional(),
});
export type AddTorrentBody = z.output<typeof addTorrentBody>;

/** With a body of `application/x-bittorrent` the rest travels in the query. */
export const addTorrentQuery = z.strictObject({
  contentPath: contentPathSchema.optional(),
  label: z.union([label.transform((one) => [one]), labelsSchema]).optional(),
  tier: tierName.optional(),
});
export type AddTorrentQuery = z.output<typeof addTorrentQuery>;

export const changeTorrentBody = z
  .strictObject({
    state: z.enum(['active', 'paused', 'removed']).optional().meta({ description: 'resume, pause or remove' }),
    contentPath: contentPathSchema.optional(),
    labels: labelsSchema.optional(),
    tier: tierName.optional().meta({ description: 'prices by rule follow; needs the scope money' }),
  })
  .refine((change) => Object.keys(change).length > 0, 'nothing to change');
export type ChangeTorrentBody = z.output<typeof changeTorrentBody>;

const operatorState = z.enum(['active', 'paused', 'removed']);

export const sortParam = z.enum(TORRENT_SORTS).default('newest').meta({ description: 'order of the list' });

export const listTorrentsQuery = z.strictObject({
  ...pageQuery,
  // A sort key may be a whole name.
  cursor: z.string().max(1_200).optional().meta({ description: '`nextCursor` of the page before' }),
  sort: sortParam,
  state: operatorState.optional().meta({ description: 'default: active and paused ones' }),
  label: label.optional(),
  tier: tierName.optional(),
  search: searchText.optional(),
  available: z.literal('true').optional().meta({ description: 'only what some node sells now' }),
});
export type ListTorrentsQuery = z.output<typeof listTorrentsQuery>;

export const saleSchema = z.object({
  state: z.enum(SALE_STATES),
  detail: z.string(),
  progress: z.number().min(0).max(1),
  nodesOnSale: z.int(),
  /** Why no channel is opened at today's fees; null where one is. */
  refusedNow: z.string().nullable(),
});

export const torrentSchema = z.object({
  infoHash: z.string(),
  name: z.string(),
  pieceLengthBytes: z.int(),
  pieceCount: z.int(),
  totalBytes: z.int(),
  private: z.boolean(),
  contentPath: z.string(),
  state: operatorState,
  labels: z.array(z.string()),
  version: z.int().meta({ description: 'grows with each change; part of the ETag' }),
  tier: z.string(),
  sale: saleSchema,
  offer: effectiveOfferSchema,
  /** Of a complete sale. */
  totalSat: satoshiText,
  createdAt: timeText,
  updatedAt: timeText,
});

export const seedingSchema = z.object({
  nodeId: z.string(),
  peerAddress: z.string(),
  nodeAlive: z.boolean(),
  state: z.string(),
  progress: z.number(),
  detail: z.string(),
  updatedAt: timeText,
});

export const torrentDetailSchema = torrentSchema.extend({ nodes: z.array(seedingSchema) });
export const torrentPage = pageOf(torrentSchema);

export type TorrentView = z.output<typeof torrentSchema>;
export type TorrentDetail = z.output<typeof torrentDetailSchema>;
