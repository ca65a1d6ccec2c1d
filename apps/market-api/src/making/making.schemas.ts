import { z } from 'zod';
import { idCursor, pageOf, pageQuery } from '../http/cursor.js';
import { timeText } from '../http/schemas.js';
import { labelsSchema, tierName } from '../torrents/torrent.schemas.js';
import { rootedPath } from './content.schemas.js';
import type { MakingRow } from './making.repository.js';

const MIN_PIECE_BYTES = 16 * 1024;
const MAX_PIECE_BYTES = 64 * 1024 * 1024;

const nameText = z
  .string()
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= 255, 'at most 255 bytes')
  .refine((name) => name !== '.' && name !== '..' && !/[/\\\p{Cc}]/u.test(name), 'must be a plain file name')
  .refine((name) => Buffer.from(name).toString() === name, 'must be well-formed')
  .meta({ description: 'the torrent’s name; default: that of the file or folder' });

export const makingBody = z.strictObject({
  path: rootedPath,
  name: nameText.optional(),
  pieceLengthBytes: z
    .int()
    .min(MIN_PIECE_BYTES)
    .max(MAX_PIECE_BYTES)
    .refine((bytes) => Number.isInteger(Math.log2(bytes)), 'must be a power of two')
    .optional()
    .meta({ description: 'default: by size, about a thousand pieces of at most 8 MiB' }),
  private: z.boolean().optional().meta({ description: 'kept off DHT and peer exchange' }),
  labels: labelsSchema.optional(),
  tier: tierName.optional().meta({ description: 'needs the scope money' }),
});
export type MakingBody = z.output<typeof makingBody>;

export const makingParam = z.strictObject({ id: z.string().regex(/^[1-9]\d{0,17}$/, 'must be a making’s id') });
export type MakingParam = z.output<typeof makingParam>;

export const MAKING_STATES = ['waiting', 'hashing', 'adding', 'done', 'failed', 'cancelled'] as const;

export const makingSchema = z.object({
  id: z.string(),
  path: z.string(),
  name: z.string().nullable(),
  private: z.boolean(),
  labels: z.array(z.string()),
  tier: z.string().nullable(),
  state: z.enum(MAKING_STATES),
  files: z.int(),
  pieceLengthBytes: z.int().nullable(),
  totalBytes: z.int(),
  hashedBytes: z.int(),
  /** Once it is done. */
  infoHash: z.string().nullable(),
  /** Why it failed: a code, as `content-changed`. */
  problem: z.string().nullable(),
  detail: z.string(),
  createdAt: timeText,
  updatedAt: timeText,
});
export type MakingView = z.output<typeof makingSchema>;

export const makingPage = pageOf(makingSchema);

export const makingsQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: idCursor,
  state: z.enum(MAKING_STATES).optional(),
});
export type MakingsQuery = z.output<typeof makingsQuery>;

export function makingView(row: MakingRow): MakingView {
  return {
    id: String(row.id),
    path: row.path,
    name: row.name,
    private: row.private,
    labels: row.labels,
    tier: row.tier,
    state: row.state as MakingView['state'],
    files: row.files,
    pieceLengthBytes: row.pieceLengthBytes,
    totalBytes: Number(row.totalBytes),
    hashedBytes: Number(row.hashedBytes),
    infoHash: row.infoHash,
    problem: row.problem,
    detail: row.detail,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
