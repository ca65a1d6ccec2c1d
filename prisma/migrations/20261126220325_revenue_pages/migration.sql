-- A page of revenue per torrent reads a row of each torrent instead of one of each of its measures. The sums of all time are added to
-- where a posting is rolled up, in the same statement, and are held against the roll-ups, and so against the books, by the same check.

-- CreateTable
CREATE TABLE "channel"."book_torrent" (
    "infoHash" TEXT NOT NULL,
    "channels" BIGINT NOT NULL DEFAULT 0,
    "pieces" BIGINT NOT NULL DEFAULT 0,
    "revenue" BIGINT NOT NULL DEFAULT 0,
    "accrued" BIGINT NOT NULL DEFAULT 0,
    "collectable" BIGINT NOT NULL DEFAULT 0,
    "settlement-fee-reserved" BIGINT NOT NULL DEFAULT 0,
    "broadcast" BIGINT NOT NULL DEFAULT 0,
    "confirmed" BIGINT NOT NULL DEFAULT 0,
    "buried" BIGINT NOT NULL DEFAULT 0,
    "settlement-fee" BIGINT NOT NULL DEFAULT 0,
    "child-fee" BIGINT NOT NULL DEFAULT 0,
    "uncollectable" BIGINT NOT NULL DEFAULT 0,
    "lost" BIGINT NOT NULL DEFAULT 0,
    "swept" BIGINT NOT NULL DEFAULT 0,
    "restated" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "book_torrent_pkey" PRIMARY KEY ("infoHash")
-- Amounts alone change, in place.
) WITH (fillfactor = 70);

-- What is rolled up by now. No roll-up may come between.
DO $$
BEGIN
  LOCK TABLE "channel"."book_unrolled" IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO "channel"."book_torrent"
    ("infoHash",
      "channels", "pieces", "revenue", "accrued", "collectable", "settlement-fee-reserved", "broadcast", "confirmed",
      "buried", "settlement-fee", "child-fee", "uncollectable", "lost", "swept", "restated")
  SELECT r."key",
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'channels'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'pieces'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'revenue'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'accrued'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'collectable'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'settlement-fee-reserved'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'broadcast'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'confirmed'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'buried'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'settlement-fee'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'child-fee'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'uncollectable'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'lost'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'swept'), 0)::bigint,
      coalesce(sum(r."amount") FILTER (WHERE r."measure" = 'restated'), 0)::bigint
  FROM "channel"."book_rollup" r WHERE r."subject" = 'torrent' AND r."period" = 'all' GROUP BY r."key";
END $$;

-- The sparkline of a torrent: its days, and of them nothing but the revenue.
CREATE INDEX "book_rollup_torrent_revenue" ON "channel"."book_rollup" ("key", "start")
  WHERE "subject" = 'torrent' AND "period" = 'day' AND "measure" = 'revenue';

-- How many copies nodes keep, without looking at each.
DROP INDEX "market"."seeding_infoHash_idx";
CREATE INDEX "seeding_infoHash_state_idx" ON "market"."seeding"("infoHash", "state");

-- Functions changed by the piece that changes: what surrounds it stays as it is in this database.
DO $$
DECLARE
  change RECORD;
  source TEXT;
BEGIN
  FOR change IN SELECT * FROM (VALUES
    ('"channel"."roll_up_books"(INTEGER)',
      '  SELECT count(*)::int FROM taken',
      '  , totalled AS (
    INSERT INTO "channel"."book_torrent" AS b ("infoHash",
      "channels", "pieces", "revenue", "accrued", "collectable", "settlement-fee-reserved", "broadcast", "confirmed",
      "buried", "settlement-fee", "child-fee", "uncollectable", "lost", "swept", "restated")
    SELECT s."key",
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''channels''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''pieces''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''revenue''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''accrued''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''collectable''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''settlement-fee-reserved''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''broadcast''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''confirmed''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''buried''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''settlement-fee''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''child-fee''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''uncollectable''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''lost''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''swept''), 0)::bigint,
      coalesce(sum(s."amount") FILTER (WHERE s."measure" = ''restated''), 0)::bigint
    FROM summed s WHERE s."subject" = ''torrent''
    GROUP BY 1
    -- In one order, as above.
    ORDER BY 1
    ON CONFLICT ("infoHash") DO UPDATE SET
      "channels" = b."channels" + EXCLUDED."channels", "pieces" = b."pieces" + EXCLUDED."pieces",
      "revenue" = b."revenue" + EXCLUDED."revenue", "accrued" = b."accrued" + EXCLUDED."accrued",
      "collectable" = b."collectable" + EXCLUDED."collectable",
      "settlement-fee-reserved" = b."settlement-fee-reserved" + EXCLUDED."settlement-fee-reserved",
      "broadcast" = b."broadcast" + EXCLUDED."broadcast", "confirmed" = b."confirmed" + EXCLUDED."confirmed",
      "buried" = b."buried" + EXCLUDED."buried", "settlement-fee" = b."settlement-fee" + EXCLUDED."settlement-fee",
      "child-fee" = b."child-fee" + EXCLUDED."child-fee", "uncollectable" = b."uncollectable" + EXCLUDED."uncollectable",
      "lost" = b."lost" + EXCLUDED."lost", "swept" = b."swept" + EXCLUDED."swept",
      "restated" = b."restated" + EXCLUDED."restated"
  )
  SELECT count(*)::int FROM taken'),
    -- rollup-total-differs: what a torrent's page shows of all time is not its roll-up.
    ('"channel"."reconcile_rollups"()',
      'UNION ALL
  SELECT ''rollup-periods-differ''',
      'UNION ALL
  SELECT ''rollup-total-differs'', ''torrent'', coalesce(r."key", t."infoHash"), coalesce(r."measure", t."measure"),
    coalesce(r."amount", 0), coalesce(t."amount", 0)
  FROM (
    SELECT "key", "measure", "amount" FROM "channel"."book_rollup"
    WHERE "subject" = ''torrent'' AND "period" = ''all''
      AND "measure" IN (
        ''channels'', ''pieces'', ''revenue'', ''accrued'', ''collectable'', ''settlement-fee-reserved'', ''broadcast'',
        ''confirmed'', ''buried'', ''settlement-fee'', ''child-fee'', ''uncollectable'', ''lost'', ''swept'', ''restated'')
  ) r
  FULL JOIN (
    SELECT t."infoHash", m."measure", m."amount"
    FROM "channel"."book_torrent" t CROSS JOIN LATERAL (VALUES
      (''channels'', t."channels"), (''pieces'', t."pieces"), (''revenue'', t."revenue"), (''accrued'', t."accrued"),
      (''collectable'', t."collectable"), (''settlement-fee-reserved'', t."settlement-fee-reserved"),
      (''broadcast'', t."broadcast"), (''confirmed'', t."confirmed"), (''buried'', t."buried"),
      (''settlement-fee'', t."settlement-fee"), (''child-fee'', t."child-fee"), (''uncollectable'', t."uncollectable"),
      (''lost'', t."lost"), (''swept'', t."swept"), (''restated'', t."restated")
    ) AS m("measure", "amount")
  ) t ON t."infoHash" = r."key" AND t."measure" = r."measure"
  WHERE coalesce(r."amount", 0) <> coalesce(t."amount", 0)
UNION ALL
  SELECT ''rollup-periods-differ''')
  ) AS c("name", "before", "after") LOOP
    source := pg_get_functiondef(change."name"::regprocedure);
    IF position(change."before" IN source) = 0 THEN
      RAISE EXCEPTION 'function % is not what this migration changes', change."name";
    END IF;
    EXECUTE replace(source, change."before", change."after");
  END LOOP;
END $$;
