import { z } from 'zod';
import { idCursor, pageOf, pageQuery } from '../http/cursor.js';
import { reasonText, timeText } from '../http/schemas.js';
import type { TakedownRow } from './takedown.repository.js';

const hash = z
  .string()
  .regex(/^([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/, 'must be 32, 40 or 64 hexadecimal digits')
  .transform((text) => text.toLowerCase())
  .meta({
    description: 'infohash, or a hash of a file that the .torrent file tells: SHA-1, MD5, or root of version 2',
  });

const why = reasonText.meta({ description: 'for the audit log and other operators' });

export const takedownSchema = z.object({
  id: z.string(),
  hash: z.string(),
  why: z.string(),
  by: z.string().meta({ description: 'as the audit log writes it' }),
  deleteContent: z.boolean().meta({ description: "whether nodes delete the operator's own files too" }),
  at: timeText,
  lifted: z.object({ why: z.string(), by: z.string(), at: timeText }).nullable(),
});
export type TakedownView = z.output<typeof takedownSchema>;

export const takenSchema = takedownSchema.extend({
  removed: z.int().meta({ description: 'torrents that were removed by this request' }),
});
export type TakenView = z.output<typeof takenSchema>;

export const takedownPage = pageOf(takedownSchema);

export const takedownBody = z.strictObject({
  hash,
  why,
  deleteContent: z.boolean().default(false).meta({
    description: 'also delete files that operators put on nodes; what nodes fetched by themselves always goes',
  }),
});
export type TakedownBody = z.output<typeof takedownBody>;

export const takedownParam = z.strictObject({ hash });
export type TakedownParam = z.output<typeof takedownParam>;

export const liftBody = z.strictObject({ why });
export type LiftBody = z.output<typeof liftBody>;

export const takedownQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: idCursor,
  inForce: z.enum(['true', 'false']).optional().meta({ description: 'true: without those that were lifted' }),
});
export type TakedownQuery = z.output<typeof takedownQuery>;

export function takedownView(row: TakedownRow): TakedownView {
  const { liftedAt, liftedBy, liftedWhy } = row;
  return {
    id: String(row.id),
    hash: row.hash,
    why: row.why,
    by: row.by,
    deleteContent: row.deleteContent,
    at: row.at.toISOString(),
    lifted: liftedAt === null ? null : { why: liftedWhy ?? '', by: liftedBy ?? '', at: liftedAt.toISOString() },
  };
}
