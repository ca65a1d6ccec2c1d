import { orderSchedule } from '@seedfleet/bus';
import { Prisma } from '@seedfleet/persistence';
import { FINAL_STATES } from '@seedfleet/channel-lifecycle';
import type { ChannelRow } from '../channels/channel-row.js';
import type { Database } from '../channels/database.js';
import type { ProvenPayment } from './held-payment.js';
import type { OrderSchedule } from './order-schedule.js';

/** A settlement that is signed and to be filed as an order. */
export interface Checkpoint {
  readonly channelId: string;
  readonly version: number;
  readonly k: bigint;
  readonly txid: string;
  readonly raw: Uint8Array<ArrayBuffer>;
  readonly schedule: OrderSchedule;
  /** Whether it was made once k stood, to take the place of all others: only then an acknowledgement of it is fresh. */
  readonly isLast: boolean;
}

/** A checkpoint as it is read back. */
export interface StoredCheckpoint extends Omit<Checkpoint, 'schedule'> {
  /** Null where the row is corrupt: its reader says what that means, and others are read all the same. */
  readonly schedule: OrderSchedule | null;
}

/** One that was not filed yet, with the output that it spends. */
export interface UnfiledCheckpoint extends StoredCheckpoint {
  readonly fundingTxid: string;
  readonly fundingVout: number;
}

type Row<C extends StoredCheckpoint> = Omit<C, 'schedule'> & { readonly schedule: Prisma.JsonValue };

const scheduleIn = (stored: Prisma.JsonValue): OrderSchedule | null => orderSchedule.safeParse(stored).data ?? null;

/**
 * Channels that are served and whose newest payment is worth a checkpoint, the oldest checkpoint first.
 * @param except channels that are not asked for now
 */
export async function channelsToCheckpoint(
  database: Database,
  medianTimePast: number,
  { everyNetSat, everyMs }: { readonly everyNetSat: bigint; readonly everyMs: number },
  except: readonly string[],
  limit: number,
): Promise<ChannelRow[]> {
  return database.$queryRaw<ChannelRow[]>`
    SELECT c.* FROM "channel"."channel" c
    LEFT JOIN LATERAL (
      SELECT p."k", p."createdAt" FROM "channel"."checkpoint" p WHERE p."channelId" = c."id"
      ORDER BY p."version" DESC LIMIT 1
    ) p ON true
    WHERE c."state" IN ('funding-seen', 'funded') AND c."deadlineMtp" > ${medianTimePast}
      AND c."frozenK" IS NULL AND c."settlementTxid" IS NULL AND c."k" >= c."kMin" AND c."k" > coalesce(p."k", 0)
      AND (p."k" IS NULL OR (c."k" - p."k") * c."priceSat" >= ${everyNetSat}
        OR p."createdAt" <= now() - make_interval(secs => ${everyMs / 1_000}::float8))
      AND NOT c."id" = ANY(${[...except]}::uuid[])
    ORDER BY p."createdAt" NULLS FIRST, c."id" LIMIT ${limit}`;
}

export async function newestCheckpoint(database: Database, channelId: string): Promise<StoredCheckpoint | null> {
  const rows = await database.$queryRaw<Row<StoredCheckpoint>[]>`
    SELECT "channelId", "version", "k", "txid", "raw", "schedule", "isLast" FROM "channel"."checkpoint"
    WHERE "channelId" = ${channelId}::uuid ORDER BY "version" DESC LIMIT 1`;
  return rows[0] === undefined ? null : { ...rows[0], schedule: scheduleIn(rows[0].schedule) };
}

/** Stores a checkpoint before it is filed. False where another settler has taken its version. */
export async function storeCheckpoint(database: Database, checkpoint: Checkpoint): Promise<boolean> {
  const { channelId, version, k, txid, raw, schedule, isLast } = checkpoint;
  const stored = await database.$executeRaw`
    INSERT INTO "channel"."checkpoint" ("channelId", "version", "k", "txid", "raw", "schedule", "isLast")
    VALUES (${channelId}::uuid, ${version}, ${k}, ${txid}, ${raw}, ${JSON.stringify(schedule)}::jsonb, ${isLast})
    ON CONFLICT DO NOTHING`;
  return stored === 1;
}

/** The newest checkpoint of channels where that was not filed yet. */
export async function unfiledCheckpoints(
  database: Database,
  except: readonly string[],
  limit: number,
): Promise<UnfiledCheckpoint[]> {
  const rows = await database.$queryRaw<Row<UnfiledCheckpoint>[]>`
    SELECT p."channelId", p."version", p."k", p."txid", p."raw", p."schedule", p."isLast", c."fundingTxid", c."fundingVout"
    FROM "channel"."checkpoint" p JOIN "channel"."channel" c ON c."id" = p."channelId"
    WHERE p."filedAt" IS NULL AND c."state" IN ('funding-seen', 'funded') AND NOT EXISTS (
      SELECT FROM "channel"."checkpoint" n WHERE n."channelId" = p."channelId" AND n."version" > p."version")
      AND NOT p."channelId" = ANY(${[...except]}::uuid[])
    ORDER BY p."createdAt" LIMIT ${limit}`;
  return rows.map((row) => ({ ...row, schedule: scheduleIn(row.schedule) }));
}

/**
 * Stores a payment that a held settlement proves, of a channel whose k does not stand yet, with its line in the channel's
 * story. The books follow by themselves. False where as much is stored already.
 */
export async function storeHeldPayment(
  database: Database,
  channelId: string,
  { k, signature }: ProvenPayment,
): Promise<boolean> {
  const stored = await database.$executeRaw`
    WITH raised AS (
      UPDATE "channel"."channel" SET "k" = ${k}, "signature" = ${new Uint8Array(signature)}, "version" = "version" + 1,
        "updatedAt" = now()
      WHERE "id" = ${channelId}::uuid AND "k" < ${k} AND coalesce("kCap", 0) >= ${k} AND "frozenK" IS NULL
        AND "state" IN ('funding-seen', 'funded', 'closing')
      RETURNING "id", "version", "state"
    )
    INSERT INTO "channel"."channel_event" ("channelId", "version", "state", "reason", "data")
    SELECT "id", "version", "state", 'later-payment-held', jsonb_build_object('k', ${k.toString()}::text) FROM raised`;
  return stored === 1;
}

/** Notes that chain-watcher holds a checkpoint; those before it are no use any more. */
export async function checkpointFiled(database: Database, channelId: string, version: number): Promise<void> {
  await database.$executeRaw`
    WITH filed AS (
      UPDATE "channel"."checkpoint" SET "filedAt" = coalesce("filedAt", now())
      WHERE "channelId" = ${channelId}::uuid AND "version" = ${version} RETURNING "version"
    )
    DELETE FROM "channel"."checkpoint" p USING filed
    WHERE p."channelId" = ${channelId}::uuid AND p."version" < filed."version"`;
}

/** Channels that are over and still have an order to take back. */
export async function channelsWithOrders(
  database: Database,
  except: readonly string[],
  limit: number,
): Promise<string[]> {
  const rows = await database.$queryRaw<{ channelId: string }[]>`
    SELECT DISTINCT p."channelId"::text AS "channelId" FROM "channel"."checkpoint" p
    JOIN "channel"."channel" c ON c."id" = p."channelId"
    WHERE c."state" = ANY(${[...FINAL_STATES]}::text[]) AND NOT c."id" = ANY(${[...except]}::uuid[]) LIMIT ${limit}`;
  return rows.map(({ channelId }) => channelId);
}

export async function dropCheckpoints(database: Database, channelId: string): Promise<void> {
  await database.$executeRaw`DELETE FROM "channel"."checkpoint" WHERE "channelId" = ${channelId}::uuid`;
}
