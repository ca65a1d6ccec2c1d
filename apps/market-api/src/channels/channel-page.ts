import { limitOf, Prisma } from '@seedfleet/persistence';
import { beyond, orderBy, type ChannelCursor, type ChannelSort, type SortedBy, sortedBy } from './channel-order.js';

/** Which channels of a list come next, and in which order: only ids and places, so that 33 columns are read of these alone. */

export interface ChannelFilter {
  readonly states: readonly string[] | undefined;
  readonly infoHash: string | undefined;
  readonly nodeId: string | undefined;
}

/** Payments are still possible, or may be made up for: their k is nowhere but in the row, because an index on it would cost every payment. */
const CHANGING = new Set([
  ...['offered', 'joined', 'funding-seen', 'funded', 'closing'],
  ...['funding-missing', 'settle-rejected', 'refund-seen'],
]);
/** Nothing was served, so nothing was paid. */
const UNPAID = new Set(['join-expired', 'refused']);

/** Rows of `id` and `place`, at most `limit`, in order. */
export function channelPage(
  filter: ChannelFilter,
  sort: ChannelSort,
  after: ChannelCursor | undefined,
  limit: number,
): Prisma.Sql {
  const parts = partsOf(filter, sort);
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined) return select(only, sort, after, limit);
  const each = parts.map((part) => Prisma.sql`(${select(part, sort, after, limit)})`);
  return Prisma.sql`
    SELECT c.id, c.place FROM (${Prisma.join(each, ' UNION ALL ')}) c
    ORDER BY ${orderBy(sort, Prisma.sql`c.place`)} LIMIT ${limitOf(limit)}`;
}

/** Channels that one index has in order, or that are so few that they can be sorted. */
interface Part {
  readonly conditions: readonly Prisma.Sql[];
  readonly by: SortedBy;
}

function partsOf({ states: named, infoHash, nodeId }: ChannelFilter, sort: ChannelSort): readonly Part[] {
  const by = sortedBy(sort);
  // One that is named twice would be listed twice.
  const states = named === undefined ? undefined : [...new Set(named)];
  if (infoHash !== undefined || nodeId !== undefined) {
    const conditions = [];
    if (infoHash !== undefined) conditions.push(Prisma.sql`c."infoHash" = ${infoHash}`);
    if (nodeId !== undefined) conditions.push(Prisma.sql`c."nodeId" = ${nodeId}`);
    if (states !== undefined) conditions.push(sort === 'newest' ? inStates(states) : anyOf(states));
    return [{ conditions, by }];
  }
  if (states === undefined) return [{ conditions: [], by }];
  if (sort !== 'exposure') return states.map((state) => ({ conditions: [ofState(state)], by }));
  const changing = states.filter((state) => CHANGING.has(state));
  return [
    ...(changing.length === 0 ? [] : [{ conditions: [anyOf(changing)], by }]),
    ...states.filter((state) => !CHANGING.has(state)).flatMap(ofEnded),
  ];
}

/** Of what is over, the last payment is frozen, and ordered by an index; but for what never had one. */
function ofEnded(state: string): readonly Part[] {
  const frozen = { conditions: [ofState(state), Prisma.sql`c."frozenK" IS NOT NULL`], by: sortedBy('frozen') };
  const conditions = [ofState(state), Prisma.sql`c."frozenK" IS NULL`];
  return [frozen, { conditions, by: sortedBy(UNPAID.has(state) ? 'unpaid' : 'exposure') }];
}

function select(
  { conditions, by }: Part,
  sort: ChannelSort,
  after: ChannelCursor | undefined,
  limit: number,
): Prisma.Sql {
  const all = [Prisma.sql`true`, ...conditions, ...(after === undefined ? [] : [beyond(sort, by, after)])];
  return Prisma.sql`
    SELECT c.id, ${by.column} AS place FROM channel.channel c
    WHERE ${Prisma.join(all, ' AND ')} ORDER BY ${orderBy(sort, by.column)} LIMIT ${limitOf(limit)}`;
}

const ofState = (state: string): Prisma.Sql => Prisma.sql`c.state = ${state}`;

/** Taken together and sorted: no walk along an order that may hold nothing of them for a long way. */
const anyOf = (states: readonly string[]): Prisma.Sql => Prisma.sql`c.state = ANY(${[...states]})`;

/** One state as an equation: only then Postgres walks along that state's own index. */
function inStates(states: readonly string[]): Prisma.Sql {
  const [state] = states;
  return states.length === 1 && state !== undefined ? ofState(state) : anyOf(states);
}
