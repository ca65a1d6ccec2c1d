import { Prisma } from '@seedfleet/persistence';
import type { Database } from '../channels/database.js';

/*
 * An epoch of contract keys belongs to one life of the database. A restore gives the table of keys another life, and
 * the keys in it that look free may have been handed out after the backup: none of them is taken any more, and a new
 * epoch begins. A restart of the server counts as one too: its files may have gone back to a snapshot while it was down. Its number comes from the time, so that not even restoring the same backup twice, or an empty database
 * beside an old seed, leads to an epoch that was there before.
 */

/**
 * The life of the database: of the cluster, of its timeline (another after a recovery to a point in time), of the table of
 * keys itself (another when a dump is loaded, into a new table or over an emptied one), and of the server's process: files
 * can only go back to an older snapshot while it is down, and nothing in them tells that they did.
 */
const DATABASE_LIFE = Prisma.sql`(
  SELECT s."system_identifier" || '/' || c."timeline_id" || '/' || k."oid" || '/' || pg_relation_filenode(k."oid")
    || '/' || (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint
  FROM pg_control_system() s, pg_control_checkpoint() c, pg_class k
  WHERE k."oid" = '"channel"."contract_key"'::regclass)`;

/** 2026-01-01, Unix seconds: epochs are numbered by the seconds since, which fit 31 bits until 2094. */
const FIRST_SECOND = 1_767_225_600;

/** The newest epoch, if it belongs to the database as it lives now: the only one whose keys are handed out. */
export const CURRENT_EPOCH = Prisma.sql`(
  SELECT e."epoch" FROM "channel"."key_epoch" e
  WHERE e."epoch" = (SELECT max("epoch") FROM "channel"."key_epoch")
    AND split_part(e."reason", ' ', 2) = ${DATABASE_LIFE})`;

/** The seed that the newest epoch belongs to; null before the first start. */
export async function knownSeedId(database: Database): Promise<string | null> {
  const rows = await database.$queryRaw<{ seedId: string }[]>`
    SELECT "seedId" FROM "channel"."key_epoch" ORDER BY "epoch" DESC LIMIT 1`;
  return rows[0]?.seedId ?? null;
}

/**
 * Begins a new epoch unless the newest one belongs to this life of the database. Where another settler was quicker, its
 * epoch counts. The reason says why, and for which life. Returns the epoch that was begun, null where none was needed.
 * @param seedId the settler's seed; null for the one of the epochs before.
 */
export async function renewEpoch(database: Database, seedId: string | null): Promise<number | null> {
  const rows = await database.$queryRaw<{ epoch: number }[]>`
    INSERT INTO "channel"."key_epoch" ("epoch", "seedId", "reason")
    SELECT greatest(known."last" + 1, floor(extract(epoch FROM clock_timestamp()))::bigint - ${FIRST_SECOND})::int,
      known."seedId", CASE
        WHEN known."last" = 0 THEN 'first-start '
        WHEN known."reason" LIKE '% ' || regexp_replace(${DATABASE_LIFE}, '/[0-9]+$', '') || '/%' THEN 'server-restarted '
        ELSE 'restored '
      END || ${DATABASE_LIFE}
    FROM (
      SELECT coalesce(max("epoch"), 0) AS "last", coalesce(${seedId}, max("seedId")) AS "seedId",
        (SELECT e."reason" FROM "channel"."key_epoch" e ORDER BY e."epoch" DESC LIMIT 1) AS "reason"
      FROM "channel"."key_epoch"
    ) known
    WHERE ${CURRENT_EPOCH} IS NULL AND known."seedId" IS NOT NULL
    ON CONFLICT ("epoch") DO NOTHING
    RETURNING "epoch"`;
  return rows[0]?.epoch ?? null;
}
