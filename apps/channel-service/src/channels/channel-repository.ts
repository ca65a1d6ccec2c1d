import { Prisma } from '@seedfleet/persistence';
import type { ChannelRow } from './channel-row.js';
import type { Database } from './database.js';
import { CHAIN_FINAL_STATES } from '@seedfleet/channel-lifecycle';
import { nextActionAt, nextUnlessWoken } from './transition.js';

/** How long whoever claimed a channel has before another may. */
const CLAIM_SECONDS = 30;

export async function findChannel(database: Database, id: string): Promise<ChannelRow | null> {
  const rows = await database.$queryRaw<ChannelRow[]>`SELECT * FROM "channel"."channel" WHERE "id" = ${id}::uuid`;
  return rows[0] ?? null;
}

export async function findChannelByJoin(database: Database, joinId: string): Promise<ChannelRow | null> {
  const rows = await database.$queryRaw<ChannelRow[]>`SELECT * FROM "channel"."channel" WHERE "joinId" = ${joinId}`;
  return rows[0] ?? null;
}

/**
 * Takes the channels whose time has come, so that no other worker takes them for a while. What is done with a claimed
 * row is conditional on its version, so a worker that was too slow does no harm.
 */
export async function claimDue(database: Database, states: readonly string[], limit: number): Promise<ChannelRow[]> {
  return database.$queryRaw<ChannelRow[]>`
    WITH due AS MATERIALIZED (
      SELECT "id" FROM "channel"."channel"
      WHERE "nextActionAt" <= now() AND "state" = ANY(${[...states]}::text[])
      ORDER BY "nextActionAt" LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE "channel"."channel" AS c SET "nextActionAt" = ${nextActionAt(CLAIM_SECONDS)}
    FROM due WHERE c."id" = due."id"
    RETURNING c.*`;
}

/**
 * Only sets when a channel is looked at again; nothing happened that belongs into its story. A channel that was woken
 * while it was being looked at stays due: the news may be younger than the look.
 */
export async function lookAgain(
  database: Database,
  channel: Pick<ChannelRow, 'id' | 'version' | 'state' | 'wakes'>,
  inSeconds: number | null,
  set: readonly Prisma.Sql[] = [],
): Promise<void> {
  await database.$executeRaw`
    UPDATE "channel"."channel"
    SET ${Prisma.join([Prisma.sql`"nextActionAt" = ${nextUnlessWoken(channel, channel.state, inSeconds)}`, ...set])}
    WHERE "id" = ${channel.id}::uuid AND "version" = ${channel.version}`;
}

/** Labels that chain-watcher gives back with its news: they name the channel. */
export const fundingLabel = (channelId: string): string => `funding:${channelId}`;
export const settlementLabel = (channelId: string): string => `settlement:${channelId}`;

/** The channel that a label of ours names; null for other labels. */
export function channelOfLabel(label: string): string | null {
  return /^(?:funding|settlement):([0-9a-f-]{36})$/.exec(label)?.[1] ?? null;
}

/**
 * News about a channel's output or settlement: whoever looks after it looks now, also if somebody is looking already. What
 * is true is then asked of the chain, so news that comes late, twice or in another order does no harm. States that are
 * final but rest on the chain look again too, because a deep reorganisation undoes them.
 */
export async function wakeChannels(database: Database, ids: readonly string[]): Promise<number> {
  return database.$executeRaw`
    UPDATE "channel"."channel" SET "wakes" = "wakes" + 1, "nextActionAt" = least("nextActionAt", now())
    WHERE "id" = ANY(${[...ids]}::uuid[])
      AND ("nextActionAt" IS NOT NULL OR "state" = ANY(${[...CHAIN_FINAL_STATES]}::text[]))`;
}
