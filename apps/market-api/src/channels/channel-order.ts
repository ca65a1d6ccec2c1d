import { Prisma } from '@seedfleet/persistence';
import { z } from 'zod';
import { CURSOR_TIME_FORMAT } from '../http/cursor.js';
import { validationProblem } from '../http/problem.js';

/**
 * The orders that channels come in. Each is an index's but one: `exposure` of channels that are still open is sorted anew each time,
 * of which there are never more than the fleet serves at a time.
 */
export const CHANNEL_SORTS = ['newest', 'deadline', 'exposure'] as const;
export type ChannelSort = (typeof CHANNEL_SORTS)[number];

/** States with something ahead: before their settlement is on its way. */
export const OPEN_STATES = ['joined', 'funding-seen', 'funded', 'closing'] as const;

export interface ChannelCursor {
  readonly value: string;
  readonly id: string;
}

/** What channels are sorted by. */
export interface SortedBy {
  /** An expression of the row, written as the index that has it in order. */
  readonly column: Prisma.Sql;
  /** The only place that these have, where they have only one; as a cursor holds it. */
  readonly constant?: string;
}

interface Order {
  readonly by: SortedBy;
  /** A place as a cursor holds it. */
  readonly text: (place: Prisma.Sql) => Prisma.Sql;
  readonly type: Prisma.Sql;
  readonly descending: boolean;
  readonly value: z.ZodType<string>;
}

const whole = z.string().regex(/^\d{1,18}$/);
/** No deadline yet: after all others. As the index has it. */
const NEVER = Prisma.raw('2147483647');

const ORDERS: Readonly<Record<ChannelSort, Order>> = {
  newest: {
    by: { column: Prisma.sql`c."createdAt"` },
    text: (place) => Prisma.sql`to_char(${place} AT TIME ZONE 'UTC', ${CURSOR_TIME_FORMAT})`,
    type: Prisma.sql`timestamptz`,
    descending: true,
    value: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      .refine((at) => Number.isFinite(Date.parse(at))),
  },
  deadline: {
    by: { column: Prisma.sql`coalesce(c."deadlineMtp", ${NEVER})` },
    text: (place) => Prisma.sql`${place}::text`,
    type: Prisma.sql`bigint`,
    descending: false,
    value: whole,
  },
  exposure: {
    by: { column: Prisma.sql`(coalesce(c."settledK", c.k) * c."priceSat")` },
    text: (place) => Prisma.sql`${place}::text`,
    type: Prisma.sql`bigint`,
    descending: true,
    value: whole,
  },
};

/** The same exposure where k is frozen, and where nothing was paid. */
const ENDED = {
  frozen: { column: Prisma.sql`(coalesce(c."settledK", c."frozenK") * c."priceSat")` },
  unpaid: { column: Prisma.sql`0::bigint`, constant: '0' },
} as const satisfies Record<string, SortedBy>;

export function sortedBy(name: ChannelSort | keyof typeof ENDED): SortedBy {
  return name === 'frozen' || name === 'unpaid' ? ENDED[name] : ORDERS[name].by;
}

/** A place in the list as its cursor holds it. */
export const placeText = (sort: ChannelSort, place: Prisma.Sql): Prisma.Sql => ORDERS[sort].text(place);

export function orderBy(sort: ChannelSort, place: Prisma.Sql): Prisma.Sql {
  const direction = ORDERS[sort].descending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  return Prisma.sql`${place} ${direction}, c.id ${direction}`;
}

/** Rows that come after the cursor. */
export function beyond(sort: ChannelSort, { column, constant }: SortedBy, { value, id }: ChannelCursor): Prisma.Sql {
  const { type, descending } = ORDERS[sort];
  const than = descending ? Prisma.sql`<` : Prisma.sql`>`;
  // Compared with the one place that all have, only ids are left to tell, and their index walks on from there.
  if (constant !== undefined)
    return BigInt(value) === BigInt(constant)
      ? Prisma.sql`c.id ${than} ${id}::uuid`
      : allOrNone(value, constant, descending);
  return Prisma.sql`(${column}, c.id) ${than} (${value}::${type}, ${id}::uuid)`;
}

function allOrNone(value: string, constant: string, descending: boolean): Prisma.Sql {
  return BigInt(constant) < BigInt(value) === descending ? Prisma.sql`true` : Prisma.sql`false`;
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
