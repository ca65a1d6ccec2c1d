import type { Database } from '../channels/database.js';
import type { ChannelState } from '@seedfleet/channel-lifecycle';
import { toHex } from '@seedfleet/payment-channel';
import { AWAITED_PAYMENT_SECONDS } from '../settlement/awaited-payment.js';
import type { Judgement } from './judge.js';

/** The place of a partition: everything up to `committedSeq` of the stream made at `streamEpoch` is in Postgres. */
export interface Watermark {
  readonly partition: number;
  readonly streamEpoch: string;
  readonly committedSeq: bigint;
}

/** What became of a channel of a batch of which more is to be said than that its payment is stored. */
export interface StoredUpdate {
  readonly channelId: string;
  readonly oldK: bigint;
  readonly k: bigint;
  readonly state: ChannelState;
  /** Whether this batch closed it. */
  readonly closed: boolean;
}

export interface StoredBatch {
  /** Channels whose payment was stored and that go on. Nearly all of a batch; therefore only counted. */
  readonly advanced: number;
  /** The other channels of the batch, but for those that have no row. */
  readonly others: readonly StoredUpdate[];
}

/**
 * The watermark of a partition, made to fit the stream: a stream that was made anew counts from 1 again.
 */
export async function openWatermark(database: Database, partition: number, streamEpoch: string): Promise<Watermark> {
  const rows = await database.$queryRaw<Watermark[]>`
    INSERT INTO "channel"."payment_watermark" AS w ("partition", "streamEpoch", "committedSeq")
    VALUES (${partition}, ${streamEpoch}, 0)
    ON CONFLICT ("partition") DO UPDATE SET
      "committedSeq" = CASE WHEN w."streamEpoch" = excluded."streamEpoch" THEN w."committedSeq" ELSE 0 END,
      "streamEpoch" = excluded."streamEpoch"
    RETURNING "partition", "streamEpoch", "committedSeq"`;
  const row = rows[0];
  if (row === undefined) throw new Error('the watermark could not be written');
  return row;
}

export async function readWatermark(database: Database, partition: number): Promise<Watermark | null> {
  const rows = await database.$queryRaw<Watermark[]>`
    SELECT "partition", "streamEpoch", "committedSeq" FROM "channel"."payment_watermark"
    WHERE "partition" = ${partition}`;
  return rows[0] ?? null;
}

/**
 * Stores a judged batch in one statement: payments move k forward only, an end or kCap moves the channel to closing and
 * freezes k in the same update, what failed is parked, forgers are quarantined, and the watermark moves; all of it or
 * nothing. Bytes travel as hex: the driver guesses a list's type by its first element, and a null there makes text of
 * the rest. Joins are by primary key, so that the planner sees few rows and does not start to compile. Rows are locked in the order of their ids. A good payment for a channel that is frozen is parked too.
 * Throws where the watermark is not where the batch follows from, also when it is behind: rows that were put back to an older state
 * under us lack what we stored, and it has to be read again.
 * @param from where the watermark was left; @param mark where it goes
 */
export async function storeBatch(
  database: Database,
  from: Watermark,
  mark: Watermark,
  judgement: Judgement,
): Promise<StoredBatch> {
  const { updates, parked, forgers } = judgement;
  const rows = await database.$queryRaw<(StoredUpdate & { marked: boolean; advanced: number })[]>`
    WITH entry AS (
      SELECT * FROM unnest(
        ${updates.map((update) => update.channelId)}::uuid[],
        ${updates.map((update) => BigInt(update.payment?.k ?? 0))}::bigint[],
        ${updates.map((update) => (update.payment === null ? null : toHex(update.payment.signature)))}::text[],
        ${updates.map((update) => update.end !== null)}::boolean[],
        ${updates.map((update) => BigInt(update.end?.k ?? 0))}::bigint[],
        ${updates.map((update) => update.end?.reason ?? null)}::text[],
        ${updates.map((update) => update.payment?.nodeId ?? null)}::text[],
        ${updates.map((update) => BigInt(update.payment?.seq ?? 0))}::bigint[]
      ) AS e("id", "k", "signature", "ended", "endK", "reason", "nodeId", "seq")
    ), paid AS (
      SELECT c."id", c."state", c."k" AS "oldK", c."kCap", c."frozenK", c."buyerPublicKey" IS NOT NULL AS "ready",
        e."k", decode(e."signature", 'hex') AS "signature", e."ended", e."endK", e."reason", e."nodeId", e."seq",
        c."state" IN ('joined', 'funding-seen', 'funded') AS "open",
        e."k" > c."k" AND e."k" <= coalesce(c."kCap", 0) AND c."frozenK" IS NULL
          AND c."state" IN ('joined', 'funding-seen', 'funded', 'closing') AS "advances"
      FROM entry e JOIN "channel"."channel" c ON c."id" = e."id"
      ORDER BY c."id" FOR UPDATE OF c
    ), counted AS (
      SELECT p.*, CASE WHEN p."advances" THEN p."k" ELSE p."oldK" END AS "newK" FROM paid p
    ), next AS (
      SELECT p.*,
        p."open" AND p."ready" AND p."newK" = p."kCap" AS "full",
        p."open" AND (p."ended" OR (p."ready" AND p."newK" = p."kCap")) AS "closes"
      FROM counted p
    ), changed AS (
      UPDATE "channel"."channel" c SET
        "k" = n."newK",
        "signature" = CASE WHEN n."advances" THEN n."signature" ELSE c."signature" END,
        "state" = CASE WHEN NOT n."closes" THEN c."state" WHEN n."ready" THEN 'closing' ELSE 'join-expired' END,
        "stateReason" = CASE WHEN n."full" THEN 'k-cap' WHEN n."closes" THEN n."reason" ELSE c."stateReason" END,
        "stateEnteredAt" = CASE WHEN n."closes" THEN now() ELSE c."stateEnteredAt" END,
        "closeReason" = CASE WHEN n."full" THEN 'k-cap' WHEN n."closes" THEN n."reason" ELSE c."closeReason" END,
        "version" = c."version" + n."closes"::int,
        "frozenK" = CASE WHEN n."closes" AND n."ready" AND (n."full" OR n."newK" >= n."endK") THEN n."newK"
                    ELSE c."frozenK" END,
        "nextActionAt" = CASE
          WHEN NOT n."closes" THEN c."nextActionAt"
          WHEN NOT n."ready" THEN NULL
          WHEN n."full" OR n."newK" >= n."endK" THEN now()
          ELSE now() + make_interval(secs => ${AWAITED_PAYMENT_SECONDS}::float8) END,
        "updatedAt" = now()
      FROM next n WHERE c."id" = n."id" AND (n."advances" OR n."closes")
      RETURNING c."id", c."state", c."stateReason", c."version", c."k", c."frozenK", n."closes", n."endK"
    ), story AS (
      INSERT INTO "channel"."channel_event" ("channelId", "version", "state", "reason", "data")
      SELECT "id", "version", "state", "stateReason", jsonb_build_object(
        'k', "k"::text, 'nodeK', "endK"::text, 'frozen', "frozenK" IS NOT NULL)
      FROM changed WHERE "closes"
    ), set_aside AS (
      INSERT INTO "channel"."parked_payment" ("nodeId", "channelId", "k", "signature", "code", "streamSeq")
      SELECT "nodeId", "channelId", "k", decode("signature", 'hex'), "code", "seq" FROM unnest(
        ${parked.map((entry) => entry.nodeId)}::text[],
        ${parked.map((entry) => entry.channelId)}::text[],
        ${parked.map((entry) => BigInt(entry.k))}::bigint[],
        ${parked.map((entry) => toHex(entry.signature))}::text[],
        ${parked.map((entry) => entry.code)}::text[],
        ${parked.map((entry) => BigInt(entry.seq))}::bigint[]
      ) AS p("nodeId", "channelId", "k", "signature", "code", "seq")
      -- Of a node that is quarantined already only the counter goes on: it could fill the disk with forgeries.
      WHERE NOT EXISTS (SELECT 1 FROM "channel"."quarantined_node" q WHERE q."nodeId" = p."nodeId")
      UNION ALL
      SELECT "nodeId", "id"::text, "k", "signature", 'after-freeze', "seq" FROM next
      WHERE "k" > "oldK" AND NOT "advances"
    ), quarantine AS (
      INSERT INTO "channel"."quarantined_node" ("nodeId", "reason")
      SELECT * FROM unnest(${[...forgers.keys()]}::text[], ${[...forgers.values()]}::text[])
      ON CONFLICT ("nodeId") DO NOTHING
    ), mark AS (
      UPDATE "channel"."payment_watermark" SET "committedSeq" = ${mark.committedSeq}, "updatedAt" = now()
      WHERE "partition" = ${mark.partition} AND "streamEpoch" = ${mark.streamEpoch}
        AND "committedSeq" = ${from.committedSeq}
      RETURNING 1
    )
    SELECT m."marked", m."advanced", n."id" AS "channelId", n."oldK", coalesce(ch."k", n."oldK") AS "k",
      coalesce(ch."state", n."state") AS "state", coalesce(ch."closes", FALSE) AS "closed"
    FROM (
      SELECT EXISTS (SELECT 1 FROM mark) AS "marked",
        (SELECT count(*) FROM next WHERE "advances" AND NOT "closes")::int AS "advanced"
    ) m
    LEFT JOIN (next n LEFT JOIN changed ch ON ch."id" = n."id") ON n."closes" OR NOT n."advances"`;
  const [first] = rows;
  if (first?.marked !== true) throw new WatermarkMoved(mark);
  const others = rows.filter((row) => row.channelId !== null).map(({ marked: _, advanced: __, ...row }) => row);
  return { advanced: first.advanced, others };
}

/** The watermark is not where this process left it: another intake works on the partition, or the stream was made anew. */
export class WatermarkMoved extends Error {
  readonly code = 'watermark-moved';

  constructor(mark: Watermark) {
    super(`the watermark of partition ${mark.partition} did not move to ${mark.committedSeq}`);
  }
}
