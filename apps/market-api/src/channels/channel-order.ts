import { Prisma } from '@seedfleet/persistence';
import { z } from 'zod';
import { CURSOR_TIME_FORMAT } from '../http/cursor.js';
import { validationProblem } from '../http/problem.js';

/**
 * The orders that channels come in. `newest` walks along an index over all; `deadline` and `exposure` order the channels
 * that are still open, of which there are never more than the fleet serves at a time.
 */
export const CHANNEL_SORTS = ['newest', 'deadline', 'exposure'] as const;
export type ChannelSort = (typeof CHANNEL_SORTS)[number];

/** States with something ahead: before their settlement is on its way. */
export const OPEN_STATES = ['joined', 'funding-seen', 'funded', 'closing'] as const;

export interface ChannelCursor {
  readonly value: string;
  readonly id: string;
}

interface Order {
  readonly column: Prisma.Sql;
  readonly text: Prisma.Sql;
  readonly type: Prisma.Sql;
  readonly descending: boolean;
  readonly value: z.ZodType<string>;
}

const whole = z.string().regex(/^\d{1,18}$/);
/** No deadline yet: after all others. */
const NEVER = 2_147_483_647;
const deadline = Prisma.sql`coalesce(c."deadlineMtp", ${NEVER}::int)`;
const exposure = Prisma.sql`(coalesce(c."settledK", c.k) * c."priceSat")`;

const ORDERS: Readonly<Record<ChannelSort, Order>> = {
  newest: {
    column: Prisma.sql`c."createdAt"`,
    text: Prisma.sql`to_char(c."createdAt" AT TIME ZONE 'UTC', ${CURSOR_TIME_FORMAT})`,
    type: Prisma.sql`timestamptz`,
    descending: true,
    value: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      .refine((at) => Number.isFinite(Date.parse(at))),
  },
  deadline: {
    column: deadline,
    text: Prisma.sql`${deadline}::text`,
    type: Prisma.sql`bigint`,
    descending: false,
    value: whole,
  },
  exposure: {
    column: exposure,
    text: Prisma.sql`${exposure}::text`,
    type: Prisma.sql`bigint`,
    descending: true,
    value: whole,
  },
};

/** The column that becomes a row's place in the list. */
export const placeColumn = (sort: ChannelSort): Prisma.Sql => ORDERS[sort].text;

export function orderBy(sort: ChannelSort): Prisma.Sql {
  const { column, descending } = ORDERS[sort];
  const direction = descending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  return Prisma.sql`${column} ${direction}, c.id ${direction}`;
}

/** Rows that come after the cursor. */
export function beyond(sort: ChannelSort, { value, id }: ChannelCursor): Prisma.Sql {
  const { column, type, descending } = ORDERS[sort];
  const than = descending ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`(${column}, c.id) ${than} (${value}::${type}, ${id}::uuid)`;
}

const parts = z.tuple([z.enum(CHANNEL_SORTS), z.string().max(40), z.uuid()]);

export function encodeChannelCursor(sort: ChannelSort, { value, id }: ChannelCursor): string {
  return Buffer.from(JSON.stringify([sort, value, id])).toString('base64url');
}

/** Reads a cursor that a list in the same order gave out. Throws a problem otherwise. */
export function decodeChannelCursor(sort: ChannelSort, text: string | undefined): ChannelCursor | undefined {
  if (text === undefined) return undefined;
  try {
    const [of, value, id] = parts.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (of !== sort) throw new Error('another order');
    return { value: ORDERS[sort].value.parse(value), id };
  } catch {
    throw validationProblem([{ message: 'not a cursor of this list in this order', path: ['cursor'] }]);
  }
}
