-- Revenue reports read roll-ups instead of summing all entries: sums per torrent, node, buyer and for the fleet, by hour, by day
-- and over all time. A posting waits in book_unrolled, written with it in one transaction, until channel.roll_up_books() has
-- added it; the reports add what waits, so they are exact at any moment, and a restored database needs no care.

-- CreateTable
CREATE TABLE "channel"."book_unrolled" (
    "postingId" BIGINT NOT NULL,

    CONSTRAINT "book_unrolled_pkey" PRIMARY KEY ("postingId")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- CreateTable
CREATE TABLE "channel"."book_rollup" (
    "subject" TEXT NOT NULL,
    "period" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "start" TIMESTAMPTZ NOT NULL,
    "measure" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,

    CONSTRAINT "book_rollup_pkey" PRIMARY KEY ("subject","period","key","start","measure")
) WITH (fillfactor = 80);

-- CreateIndex
CREATE INDEX "book_rollup_subject_period_start_idx" ON "channel"."book_rollup"("subject", "period", "start");

ALTER TABLE "channel"."book_rollup"
  ADD CONSTRAINT "book_rollup_subject" CHECK ("subject" IN ('fleet', 'torrent', 'node', 'buyer')),
  ADD CONSTRAINT "book_rollup_period" CHECK ("period" IN ('hour', 'day', 'all'));

-- Only a settlement that left the chain gives its fee back, so these entries are the restatements.
CREATE INDEX "book_entry_restated" ON "channel"."book_entry" ("postingId")
  WHERE "account" = 'settlement-fee' AND "amountSat" < 0;

-- ---------------------------------------------------------------- what a posting counts for

-- The measures of one posting: each account's satoshi, and
--   channels   1 in the first posting of a channel: its first payment;
--   pieces     payments;
--   restated   satoshi that were confirmed or buried before this posting and are not after it: a reorganisation.
CREATE FUNCTION "channel"."measures_of"(posting BIGINT, channel_id UUID, price_sat BIGINT)
RETURNS TABLE ("measure" TEXT, "amount" BIGINT) LANGUAGE sql STABLE AS $$
  SELECT e."account", e."amountSat" FROM "channel"."book_entry" e WHERE e."postingId" = posting
  UNION ALL
  SELECT 'channels', 1 WHERE channel_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM "channel"."book_posting" o WHERE o."channelId" = channel_id AND o."id" < posting)
  UNION ALL
  SELECT 'pieces', -e."amountSat" / price_sat
  FROM "channel"."book_entry" e WHERE e."postingId" = posting AND e."account" = 'revenue' AND price_sat > 0
  UNION ALL
  SELECT 'restated', -sum(e."amountSat")::bigint
  FROM "channel"."book_entry" e
  WHERE e."postingId" = posting AND e."account" IN ('confirmed', 'buried')
    AND EXISTS (
      SELECT FROM "channel"."book_entry" f
      WHERE f."postingId" = posting AND f."account" = 'settlement-fee' AND f."amountSat" < 0)
  HAVING sum(e."amountSat") <> 0
$$;

-- Where a posting counts: once for each of its subjects in each period. Buyers, of whom there are very many, have no hours.
CREATE FUNCTION "channel"."rollup_places"(at TIMESTAMPTZ, info_hash TEXT, node_id TEXT, subnet TEXT)
RETURNS TABLE ("subject" TEXT, "period" TEXT, "key" TEXT, "start" TIMESTAMPTZ) LANGUAGE sql STABLE AS $$
  SELECT s."subject", p."period", s."key", p."start"
  FROM (VALUES ('fleet', ''), ('torrent', info_hash), ('node', node_id), ('buyer', subnet)) AS s("subject", "key")
  CROSS JOIN (VALUES
    ('hour', date_trunc('hour', at, 'UTC')), ('day', date_trunc('day', at, 'UTC')), ('all', '-infinity'::timestamptz)
  ) AS p("period", "start")
  WHERE s."key" IS NOT NULL AND NOT (s."subject" = 'buyer' AND p."period" = 'hour')
$$;

-- What waits to be rolled up.
CREATE VIEW "channel"."book_unrolled_measure" AS
SELECT l."subject", l."period", l."key", l."start", m."measure", m."amount"
FROM "channel"."book_unrolled" u
JOIN "channel"."book_posting" p ON p."id" = u."postingId"
LEFT JOIN "channel"."channel" c ON c."id" = p."channelId"
CROSS JOIN LATERAL "channel"."measures_of"(p."id", c."id", c."priceSat") m
CROSS JOIN LATERAL "channel"."rollup_places"(p."at", c."infoHash", c."nodeId", c."peerSubnet") l;

-- ---------------------------------------------------------------- rolling up

CREATE FUNCTION "channel"."queue_postings"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "channel"."book_unrolled" ("postingId") SELECT n."id" FROM new_postings n;
  RETURN NULL;
END $$;

CREATE TRIGGER "queue_postings" AFTER INSERT ON "channel"."book_posting"
  REFERENCING NEW TABLE AS new_postings
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."queue_postings"();

INSERT INTO "channel"."book_unrolled" ("postingId") SELECT "id" FROM "channel"."book_posting";

-- Rolls up at most this many postings, each once, and returns how many it found. Several may run at once.
CREATE FUNCTION "channel"."roll_up_books"(max_postings INTEGER) RETURNS INTEGER
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH taken AS MATERIALIZED (
    DELETE FROM "channel"."book_unrolled" WHERE "postingId" IN (
      SELECT "postingId" FROM "channel"."book_unrolled" ORDER BY "postingId" LIMIT max_postings FOR UPDATE SKIP LOCKED)
    RETURNING "postingId"
  ), line AS MATERIALIZED (
    SELECT p."at", c."infoHash", c."nodeId", c."peerSubnet", m."measure", m."amount"
    FROM taken t
    JOIN "channel"."book_posting" p ON p."id" = t."postingId"
    LEFT JOIN "channel"."channel" c ON c."id" = p."channelId"
    CROSS JOIN LATERAL "channel"."measures_of"(p."id", c."id", c."priceSat") m
  ), added AS (
    INSERT INTO "channel"."book_rollup" AS r ("subject", "period", "key", "start", "measure", "amount")
    SELECT s."subject", s."period", s."key", s."start", l."measure", sum(l."amount")::bigint
    FROM line l CROSS JOIN LATERAL "channel"."rollup_places"(l."at", l."infoHash", l."nodeId", l."peerSubnet") s
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(l."amount") <> 0
    -- In one order, so that two that run at once wait for each other instead of both failing.
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT ("subject", "period", "key", "start", "measure") DO UPDATE SET "amount" = r."amount" + EXCLUDED."amount"
  )
  SELECT count(*)::int FROM taken
$$;

-- ---------------------------------------------------------------- reports

DROP VIEW "channel"."revenue_by_torrent", "channel"."revenue_by_node", "channel"."revenue_by_buyer", "channel"."revenue_by_day";

-- revenue_by_torrent, revenue_by_node, revenue_by_buyer, revenue_total: over all time.
-- revenue_by_day, revenue_by_hour and revenue_by_torrent_day, …: what was posted in each period (UTC), so a restatement shows as
-- negative amounts in its own. The sum of a subject's periods is its total.
DO $$
DECLARE
  report RECORD;
BEGIN
  FOR report IN SELECT * FROM (VALUES
    ('revenue_total', 'fleet', 'all', ''),
    ('revenue_by_torrent', 'torrent', 'all', '"key" AS "infoHash",'),
    ('revenue_by_node', 'node', 'all', '"key" AS "nodeId",'),
    ('revenue_by_buyer', 'buyer', 'all', '"key" AS "peerSubnet",'),
    ('revenue_by_day', 'fleet', 'day', '("start" AT TIME ZONE ''UTC'')::date AS "day",'),
    ('revenue_by_torrent_day', 'torrent', 'day', '"key" AS "infoHash", ("start" AT TIME ZONE ''UTC'')::date AS "day",'),
    ('revenue_by_node_day', 'node', 'day', '"key" AS "nodeId", ("start" AT TIME ZONE ''UTC'')::date AS "day",'),
    ('revenue_by_buyer_day', 'buyer', 'day', '"key" AS "peerSubnet", ("start" AT TIME ZONE ''UTC'')::date AS "day",'),
    ('revenue_by_hour', 'fleet', 'hour', '"start" AS "hour",'),
    ('revenue_by_torrent_hour', 'torrent', 'hour', '"key" AS "infoHash", "start" AS "hour",'),
    ('revenue_by_node_hour', 'node', 'hour', '"key" AS "nodeId", "start" AS "hour",')
  ) AS r("view", "subject", "period", "labels") LOOP
    EXECUTE format($view$
      CREATE VIEW "channel".%I AS
      SELECT %s
        coalesce(sum("amount") FILTER (WHERE "measure" = 'channels'), 0)::int AS "channels",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'pieces'), 0)::bigint AS "pieces",
        coalesce(-sum("amount") FILTER (WHERE "measure" = 'revenue'), 0)::bigint AS "revenueSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'accrued'), 0)::bigint AS "accruedSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'collectable'), 0)::bigint AS "collectableSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'settlement-fee-reserved'), 0)::bigint
          AS "settlementFeeReservedSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'broadcast'), 0)::bigint AS "broadcastSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'confirmed'), 0)::bigint AS "confirmedSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'buried'), 0)::bigint AS "buriedSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'settlement-fee'), 0)::bigint AS "settlementFeeSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'uncollectable'), 0)::bigint AS "uncollectableSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'lost'), 0)::bigint AS "lostSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'child-fee'), 0)::bigint AS "childFeeSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'swept'), 0)::bigint AS "sweptSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'restated'), 0)::bigint AS "restatedSat"
      FROM (
        SELECT "key", "start", "measure", "amount" FROM "channel"."book_rollup"
        WHERE "subject" = %L AND "period" = %L
        UNION ALL
        SELECT "key", "start", "measure", "amount" FROM "channel"."book_unrolled_measure"
        WHERE "subject" = %L AND "period" = %L
      ) AS part GROUP BY "key", "start"
    $view$, report."view", report."labels", report."subject", report."period", report."subject", report."period");
  END LOOP;
END $$;

-- Every restatement: a settlement that was in a block and no longer is. Newest first by "at".
CREATE VIEW "channel"."revenue_restatement" AS
SELECT p."id" AS "postingId", p."at", p."channelId", p."state", p."reason", c."infoHash", c."nodeId", c."settlementTxid",
  m."amount" AS "restatedSat"
FROM "channel"."book_entry" f
JOIN "channel"."book_posting" p ON p."id" = f."postingId"
JOIN "channel"."channel" c ON c."id" = p."channelId"
CROSS JOIN LATERAL "channel"."measures_of"(p."id", c."id", c."priceSat") m
WHERE f."account" = 'settlement-fee' AND f."amountSat" < 0 AND m."measure" = 'restated';

-- ---------------------------------------------------------------- the roll-ups against the entries

-- Every difference between the roll-ups and what they sum up; no row when they agree:
--   rollup-not-books       a subject's total is not the sum of its entries, or an hour of the fleet not what was posted in it;
--   rollup-periods-differ  a subject's hours or days do not add up to its total.
CREATE FUNCTION "channel"."reconcile_rollups"()
RETURNS TABLE ("code" TEXT, "subject" TEXT, "key" TEXT, "measure" TEXT, "expected" BIGINT, "actual" BIGINT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH entry AS MATERIALIZED (
    SELECT p."channelId", date_trunc('hour', p."at", 'UTC') AS "hour", e."account", sum(e."amountSat") AS "amount"
    FROM "channel"."book_entry" e JOIN "channel"."book_posting" p ON p."id" = e."postingId"
    GROUP BY 1, 2, 3
  ), of_channel AS MATERIALIZED (
    SELECT "channelId", "account" AS "measure", sum("amount") AS "amount" FROM entry GROUP BY 1, 2
    UNION ALL
    SELECT e."channelId", 'pieces', -sum(e."amount") / c."priceSat"
    FROM entry e JOIN "channel"."channel" c ON c."id" = e."channelId"
    WHERE e."account" = 'revenue' AND c."priceSat" > 0 GROUP BY e."channelId", c."priceSat"
    UNION ALL
    SELECT "channelId", 'channels', 1 FROM entry GROUP BY "channelId"
    UNION ALL
    SELECT "channelId", 'restated', sum("restatedSat") FROM "channel"."revenue_restatement" GROUP BY "channelId"
  ), due AS (
    SELECT l."subject", l."key", o."measure", sum(o."amount") AS "amount"
    FROM of_channel o LEFT JOIN "channel"."channel" c ON c."id" = o."channelId"
    CROSS JOIN LATERAL (VALUES ('fleet', ''), ('torrent', c."infoHash"), ('node', c."nodeId"), ('buyer', c."peerSubnet"))
      AS l("subject", "key")
    WHERE l."key" IS NOT NULL GROUP BY 1, 2, 3
  ), shown AS MATERIALIZED (
    SELECT s."subject", s."period", s."key", s."start", s."measure", sum(s."amount") AS "amount"
    FROM (
      SELECT "subject", "period", "key", "start", "measure", "amount" FROM "channel"."book_rollup"
      UNION ALL
      SELECT "subject", "period", "key", "start", "measure", "amount" FROM "channel"."book_unrolled_measure"
    ) s GROUP BY 1, 2, 3, 4, 5
  ), total AS MATERIALIZED (
    SELECT "subject", "key", "measure", "amount" FROM shown WHERE "period" = 'all'
  )
  SELECT 'rollup-not-books', coalesce(d."subject", t."subject"), coalesce(d."key", t."key"),
    coalesce(d."measure", t."measure"), coalesce(d."amount", 0)::bigint, coalesce(t."amount", 0)::bigint
  FROM due d FULL JOIN total t ON t."subject" = d."subject" AND t."key" = d."key" AND t."measure" = d."measure"
  WHERE coalesce(d."amount", 0) <> coalesce(t."amount", 0)
UNION ALL
  SELECT 'rollup-not-books', 'fleet', coalesce(d."hour", s."start")::text, coalesce(d."account", s."measure"),
    coalesce(d."amount", 0)::bigint, coalesce(s."amount", 0)::bigint
  FROM (SELECT "hour", "account", sum("amount") AS "amount" FROM entry GROUP BY 1, 2) d
  FULL JOIN (
    SELECT "start", "measure", "amount" FROM shown
    WHERE "subject" = 'fleet' AND "period" = 'hour' AND "measure" NOT IN ('channels', 'pieces', 'restated')
  ) s ON s."start" = d."hour" AND s."measure" = d."account"
  WHERE coalesce(d."amount", 0) <> coalesce(s."amount", 0)
UNION ALL
  SELECT 'rollup-periods-differ', coalesce(p."subject", t."subject"), coalesce(p."key", t."key"),
    coalesce(p."measure", t."measure"), coalesce(t."amount", 0)::bigint, coalesce(p."amount", 0)::bigint
  FROM (
    SELECT w."period", t.* FROM total t CROSS JOIN (VALUES ('hour'), ('day')) AS w("period")
    WHERE NOT (t."subject" = 'buyer' AND w."period" = 'hour')
  ) t
  FULL JOIN (
    SELECT "subject", "period", "key", "measure", sum("amount") AS "amount"
    FROM shown WHERE "period" <> 'all' GROUP BY 1, 2, 3, 4
  ) p ON p."subject" = t."subject" AND p."period" = t."period" AND p."key" = t."key" AND p."measure" = t."measure"
  WHERE coalesce(p."amount", 0) <> coalesce(t."amount", 0)
$$;
