import { z } from 'zod';
import { validationProblem } from './problem.js';

/**
 * Cursors of lists ordered by a time and a key: opaque to callers, base64url of both. The time keeps Postgres's
 * microseconds as text, because a JavaScript date would cut them and skip or repeat rows.
 */
export interface Cursor {
  /** ISO 8601 with microseconds, UTC. */
  readonly at: string;
  readonly key: string;
}

/** How Postgres writes a cursor's time: `to_char(column AT TIME ZONE 'UTC', CURSOR_TIME_FORMAT)`. */
export const CURSOR_TIME_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';

const cursorParts = z.tuple([
  z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    .refine((at) => Number.isFinite(Date.parse(at))),
  z.string().max(100),
]);

export function encodeCursor({ at, key }: Cursor): string {
  return Buffer.from(JSON.stringify([at, key])).toString('base64url');
}

/** Reads a cursor that this API gave out. `keySchema` is the schema of the list's key. Throws a problem otherwise. */
export function decodeCursor(text: string | undefined, keySchema: z.ZodString | z.ZodType<string>): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const [at, key] = cursorParts.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { at, key: keySchema.parse(key) };
  } catch {
    throw validationProblem([{ message: 'not a cursor of this list', path: ['cursor'] }]);
  }
}

/** Query parameters of every list. */
export const pageQuery = {
  cursor: z.string().max(400).optional().meta({ description: '`nextCursor` of the page before' }),
  limit: z.coerce.number().int().min(1).max(500).default(50).meta({ description: 'rows of a page' }),
};

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export interface Page<T> {
  readonly items: T[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Cuts a page from `limit + 1` rows, the last of which only tells that there are more. */
export function toPage<Row, T>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Cursor,
  view: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(view),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(cursorOf(last)) : null,
  };
}

/** The cursor of lists ordered by a number that the database counts up. */
export const idCursor = z
  .string()
  .regex(/^[1-9]\d{0,17}$/)
  .optional()
  .meta({ description: '`nextCursor` of the page before' });

/** Cuts a page of a list ordered by id from `limit + 1` rows. */
export function toIdPage<Row extends { readonly id: bigint }, T>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  return { items: shown.map(view), nextCursor: rows.length > limit ? String(shown.at(-1)?.id) : null };
}
