import { fundingVerdict } from '@seedfleet/bus';
import { Prisma } from '@seedfleet/persistence';
import type { z } from 'zod';
import type { ChannelRow } from './channel-row.js';
import type { Database } from './database.js';
import { CHAIN_FINAL_STATES, type ChannelState } from '@seedfleet/channel-lifecycle';

export type FundingVerdict = z.output<typeof fundingVerdict>;

/** A change of one channel, made only while the row is still the one the decision was based on. */
export interface ChannelMove {
  readonly channel: Pick<ChannelRow, 'id' | 'version' | 'nodeId' | 'state' | 'wakes'>;
  readonly to: ChannelState;
  /** A code: why the state was entered. */
  readonly reason: string;
  /** Facts for the story: amounts as decimal strings. */
  readonly data?: Prisma.InputJsonObject;
  /** When the owner looks again, seconds from now. Null in final states only. */
  readonly nextActionInSeconds: number | null;
  /** Further assignments, e.g. Prisma.sql`"frozenK" = "k"`. */
  readonly set?: readonly Prisma.Sql[];
  /** Further conditions. */
  readonly where?: Prisma.Sql;
  /** What the node is told; version and channel are filled in here. */
  readonly verdict?: Omit<FundingVerdict, 'channelId' | 'version'>;
}

/** The verdict of a move as stored and sent: its version is the one the row gets. */
export function numberedVerdict(move: ChannelMove): FundingVerdict | null {
  if (move.verdict === undefined) return null;
  return { ...move.verdict, channelId: move.channel.id, version: move.channel.version + 1 };
}

/**
 * Changes a channel, writes the story and, where the node must know, the message to it: one statement, so that none
 * happens without the others. Returns the row as it is now, or null when another change came first.
 */
export async function moveChannel(database: Database, move: ChannelMove): Promise<ChannelRow | null> {
  const rows = await database.$queryRaw<ChannelRow[]>(moveStatement(move));
  return rows[0] ?? null;
}

export function moveStatement(move: ChannelMove): Prisma.Sql {
  const verdict = numberedVerdict(move);
  const encoded = verdict === null ? null : JSON.stringify(fundingVerdict.encode(verdict));
  const assignments = [
    Prisma.sql`"state" = ${move.to}`,
    Prisma.sql`"stateReason" = ${move.reason}`,
    Prisma.sql`"stateEnteredAt" = CASE WHEN "state" = ${move.to} AND "stateReason" = ${move.reason}
      THEN "stateEnteredAt" ELSE now() END`,
    Prisma.sql`"version" = "version" + 1`,
    Prisma.sql`"nextActionAt" = ${nextUnlessWoken(move.channel, move.to, move.nextActionInSeconds)}`,
    Prisma.sql`"updatedAt" = now()`,
    ...(encoded === null ? [] : [Prisma.sql`"verdict" = ${encoded}::jsonb`]),
    ...(move.set ?? []),
  ];
  return Prisma.sql`
    WITH moved AS (
      UPDATE "channel"."channel" SET ${Prisma.join(assignments)}
      WHERE "id" = ${move.channel.id}::uuid AND "version" = ${move.channel.version}
        AND "state" = ${move.channel.state} AND ${move.where ?? Prisma.sql`TRUE`}
      RETURNING *
    ), story AS (
      INSERT INTO "channel"."channel_event" ("channelId", "version", "state", "reason", "data")
      SELECT "id", "version", "state", "stateReason", ${JSON.stringify(move.data ?? {})}::jsonb FROM moved
    ), told AS (
      INSERT INTO "channel"."outbox" ("subject", "payload")
      SELECT ${`channel.verdict.${move.channel.nodeId}`}, ${encoded}::jsonb FROM moved WHERE ${encoded !== null}
    )
    SELECT * FROM moved`;
}

/** A time of the database's own clock, so that services with other clocks agree; null means never. */
export function nextActionAt(inSeconds: number | null): Prisma.Sql {
  return inSeconds === null ? Prisma.sql`NULL` : Prisma.sql`now() + make_interval(secs => ${inSeconds}::float8)`;
}

/**
 * The same for a row that was looked at: one that was woken since it was read stays due, as the news may be younger than
 * what was seen, and so does one that somebody made due meanwhile. By the clock and not by now(), which stands still from
 * the beginning of a transaction. Null stands in final states, unless they rest on the chain.
 */
export function nextUnlessWoken(
  { wakes }: Pick<ChannelRow, 'wakes'>,
  state: ChannelState,
  inSeconds: number | null,
): Prisma.Sql {
  const woken = Prisma.sql`WHEN "wakes" <> ${wakes} THEN now()`;
  if (inSeconds !== null) {
    return Prisma.sql`CASE ${woken} WHEN "nextActionAt" <= clock_timestamp() THEN "nextActionAt"
      ELSE ${nextActionAt(inSeconds)} END`;
  }
  return restsOnChain(state) ? Prisma.sql`CASE ${woken} END` : Prisma.sql`NULL`;
}

function restsOnChain(state: ChannelState): boolean {
  return CHAIN_FINAL_STATES.some((final) => final === state);
}
