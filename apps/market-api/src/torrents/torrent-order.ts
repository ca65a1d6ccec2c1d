import { Prisma } from '@seedfleet/persistence';
import { z } from 'zod';
import { CURSOR_TIME_FORMAT, type Page } from '../http/cursor.js';
import { validationProblem } from '../http/problem.js';

/** The orders that lists of torrents come in. Each has an index, so a page costs the same wherever it lies. */
export const TORRENT_SORTS = ['newest', 'oldest', 'name', 'cheapest', 'dearest', 'smallest', 'largest'] as const;
export type TorrentSort = (typeof TORRENT_SORTS)[number];

/** Where a page ended: the value sorted by, and the infohash for rows that share it. */
export interface TorrentCursor {
  readonly value: string;
  readonly infoHash: string;
}

interface Order {
  readonly column: Prisma.Sql;
  /** The infohash of the same table, so that one index holds both. */
  readonly infoHash: Prisma.Sql;
  /** The table, where it is not `market.torrent t`. */
  readonly join: Prisma.Sql;
  /** How Postgres gives the column as a cursor's text. */
  readonly text: Prisma.Sql;
  /** The type that text is read back as. */
  readonly type: Prisma.Sql;
  readonly descending: boolean;
  readonly value: z.ZodType<string>;
}

// Microseconds as text, because a JavaScript date would cut them and skip or repeat rows.
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  .refine((at) => Number.isFinite(Date.parse(at)));
const bigint = z.string().regex(/^(0|[1-9]\d{0,17})$/);
const OF_TORRENT = { infoHash: Prisma.sql`t."infoHash"`, join: Prisma.empty };
const created = {
  ...OF_TORRENT,
  column: Prisma.sql`t."createdAt"`,
  text: Prisma.sql`to_char(t."createdAt" AT TIME ZONE 'UTC', ${CURSOR_TIME_FORMAT})`,
  type: Prisma.sql`timestamptz`,
  value: time,
};
const price = {
  infoHash: Prisma.sql`p."infoHash"`,
  join: Prisma.sql`JOIN market.torrent_price p ON p."infoHash" = t."infoHash"`,
  column: Prisma.sql`p."milliSatPerMib"`,
  text: Prisma.sql`p."milliSatPerMib"::text`,
  type: Prisma.sql`bigint`,
  value: bigint,
};
const size = {
  ...OF_TORRENT,
  column: Prisma.sql`t."totalBytes"`,
  text: Prisma.sql`t."totalBytes"::text`,
  type: Prisma.sql`bigint`,
  value: bigint,
};
const name = {
  ...OF_TORRENT,
  column: Prisma.sql`lower(t.name) COLLATE "C"`,
  text: Prisma.sql`lower(t.name)`,
  type: Prisma.sql`text`,
  // A zero character can't be in a name, nor in a statement.
  value: z
    .string()
    .max(600)
    .regex(/^[^\0]*$/),
};

const ORDERS: Readonly<Record<TorrentSort, Order>> = {
  newest: { ...created, descending: true },
  oldest: { ...created, descending: false },
  name: { ...name, descending: false },
  cheapest: { ...price, descending: false },
  dearest: { ...price, descending: true },
  smallest: { ...size, descending: false },
  largest: { ...size, descending: true },
};

/** What must be joined to `market.torrent t` for the order. */
export const orderJoin = (sort: TorrentSort): Prisma.Sql => ORDERS[sort].join;

/** The column that becomes a row's place in the list. */
export const placeColumn = (sort: TorrentSort): Prisma.Sql => ORDERS[sort].text;

export function orderBy(sort: TorrentSort): Prisma.Sql {
  const { column, infoHash, descending } = ORDERS[sort];
  const direction = descending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  return Prisma.sql`${column} ${direction}, ${infoHash} ${direction}`;
}

/** Rows that come after the cursor. */
export function beyond(sort: TorrentSort, after: TorrentCursor): Prisma.Sql {
  const { column, infoHash, type, descending } = ORDERS[sort];
  const than = descending ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`(${column}, ${infoHash}) ${than} (${after.value}::${type}, ${after.infoHash})`;
}

/** Cuts a page from `limit + 1` rows, the last of which only tells that there are more. */
export function torrentPageOf<Row extends { readonly infoHash: string; readonly place: string }, T>(
  rows: readonly Row[],
  sort: TorrentSort,
  limit: number,
  view: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items: shown.map(view),
    nextCursor: more ? encodeTorrentCursor(sort, { value: last.place, infoHash: last.infoHash }) : null,
  };
}

const parts = z.tuple([z.enum(TORRENT_SORTS), z.string(), z.string().regex(/^[0-9a-f]{40}$/)]);

function encodeTorrentCursor(sort: TorrentSort, { value, infoHash }: TorrentCursor): string {
  return Buffer.from(JSON.stringify([sort, value, infoHash])).toString('base64url');
}

/** Reads a cursor that a list in the same order gave out. Throws a problem otherwise. */
export function decodeTorrentCursor(sort: TorrentSort, text: string | undefined): TorrentCursor | undefined {
  if (text === undefined) return undefined;
  try {
    const [of, value, infoHash] = parts.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (of !== sort) throw new Error('another order');
    return { value: ORDERS[sort].value.parse(value), infoHash };
  } catch {
    throw validationProblem([{ message: 'not a cursor of this list in this order', path: ['cursor'] }]);
  }
}
