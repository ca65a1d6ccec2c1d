-- What is thrown away, and after how long: docs/operations.md. Each owner removes its own rows in batches; what its role may not
-- touch by itself (stories, roll-ups, the audit log) goes through functions that know what has to stay.

-- ---------------------------------------------------------------- channels

-- When a channel became an archive: final for long, its story gone, its row and its books kept.
ALTER TABLE "channel"."channel" ADD COLUMN "archivedAt" TIMESTAMPTZ;

-- Neither changes with a payment, so the rows of a sale are updated in place as before.
CREATE INDEX "channel_to_archive" ON "channel"."channel" ("stateEnteredAt") WHERE "nextActionAt" IS NULL AND "archivedAt" IS NULL;
CREATE INDEX "channel_address_clear" ON "channel"."channel" ("createdAt")
  WHERE "peerAddress" <> '' AND "peerAddress" NOT LIKE 'hash:%';
CREATE INDEX "channel_address_hashed" ON "channel"."channel" ("createdAt") WHERE "peerAddress" LIKE 'hash:%';

-- An address stands in the channel alone, so that it can be forgotten there.
UPDATE "channel"."channel_event" SET "data" = "data" - 'peer' WHERE "data" ? 'peer';

-- Reduces channels that have been final for so long, at most so many, and returns how many. One that was never paid goes with its
-- story; of the others the story and the last verdict go, while the row, its settlement and its postings (which tell state, reason
-- and time of each step that moved money) stay. Final is who has no next action: every other state is still owed work.
CREATE FUNCTION "channel"."archive_channels"(older_than INTERVAL, max_channels INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  due UUID[];
BEGIN
  -- The chain is followed 144 blocks deep, a late funding 14 days.
  IF older_than < interval '30 days' THEN
    RAISE EXCEPTION 'channels are kept for 30 days at least' USING ERRCODE = 'SF008';
  END IF;
  SELECT array_agg(d."id") INTO due FROM (
    SELECT c."id" FROM "channel"."channel" c
    WHERE c."nextActionAt" IS NULL AND c."archivedAt" IS NULL AND c."stateEnteredAt" < now() - older_than
      AND c."state" IN ('buried', 'returned', 'nothing-owed', 'join-expired', 'refused', 'lost')
    ORDER BY c."stateEnteredAt" LIMIT max_channels FOR UPDATE SKIP LOCKED
  ) d;
  DELETE FROM "channel"."channel_event" e WHERE e."channelId" = ANY(due);
  DELETE FROM "channel"."channel" c WHERE c."id" = ANY(due) AND c."k" = 0;
  UPDATE "channel"."channel" c SET "archivedAt" = now(), "verdict" = NULL WHERE c."id" = ANY(due);
  RETURN coalesce(cardinality(due), 0);
END $$;

REVOKE ALL ON FUNCTION "channel"."archive_channels"(INTERVAL, INTEGER) FROM PUBLIC;

-- ---------------------------------------------------------------- the books' hours

-- One row: hours of torrents and nodes are kept from here on, those of the fleet for ever.
CREATE TABLE "channel"."book_hours" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "keptFrom" TIMESTAMPTZ NOT NULL DEFAULT '-infinity',

    CONSTRAINT "book_hours_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "book_hours_one" CHECK ("id" = 1)
);
INSERT INTO "channel"."book_hours" DEFAULT VALUES;

-- Forgets hours of torrents and nodes that are older, at most so many rows; their days and totals stay. Returns how many.
CREATE FUNCTION "channel"."forget_hours"(older_than INTERVAL, max_rows INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kept_from TIMESTAMPTZ := date_trunc('day', now() - older_than, 'UTC');
  gone INTEGER;
BEGIN
  -- Charts show the hours of 17 days.
  IF older_than < interval '30 days' THEN
    RAISE EXCEPTION 'hours are kept for 30 days at least' USING ERRCODE = 'SF008';
  END IF;
  -- Whole days, so that the hours that are left add up to the days from there on.
  UPDATE "channel"."book_hours" SET "keptFrom" = kept_from WHERE "keptFrom" < kept_from;
  DELETE FROM "channel"."book_rollup" r USING (
    SELECT s."subject", s."period", s."key", s."start", s."measure" FROM "channel"."book_rollup" s
    WHERE s."subject" IN ('torrent', 'node') AND s."period" = 'hour' AND s."start" < kept_from LIMIT max_rows
  ) old
  WHERE (r."subject", r."period", r."key", r."start", r."measure")
    = (old."subject", old."period", old."key", old."start", old."measure");
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

REVOKE ALL ON FUNCTION "channel"."forget_hours"(INTERVAL, INTEGER) FROM PUBLIC;

-- ---------------------------------------------------------------- checks of the books

-- The checks know what may be gone. Changed by the piece that changes: what surrounds it stays as it is in this database.
DO $$
DECLARE
  change RECORD;
  source TEXT;
BEGIN
  FOR change IN SELECT * FROM (VALUES
    -- What the chain's side knew of a channel that is archived, or of a treasury transaction that has been final for as long, may be forgotten there.
    ('"channel"."reconcile"(INTERVAL)',
      'c."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true) AS "ripe"',
      'c."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true)
        AND (b."txid" IS NOT NULL OR c."archivedAt" IS NULL) AS "ripe"'),
    ('"channel"."reconcile_treasury"(INTERVAL)',
      't."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true) AS "ripe"',
      't."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true)
        AND (b."txid" IS NOT NULL OR t."nextActionAt" IS NOT NULL OR t."updatedAt" > now() - interval ''90 days'') AS "ripe"'),
    -- Hours of torrents and nodes are held against the days from where hours are kept.
    ('"channel"."reconcile_rollups"()',
      'SELECT w."period", t.* FROM total t CROSS JOIN (VALUES (''hour''), (''day'')) AS w("period")
    WHERE NOT (t."subject" = ''buyer'' AND w."period" = ''hour'')',
      'SELECT ''day'' AS "period", t.* FROM total t
    UNION ALL
    SELECT ''hour'', t.* FROM total t WHERE t."subject" = ''fleet''
    UNION ALL
    SELECT ''hour'', s."subject", s."key", s."measure", sum(s."amount")
    FROM shown s CROSS JOIN "channel"."book_hours" h
    WHERE s."subject" IN (''torrent'', ''node'') AND s."period" = ''day'' AND s."start" >= h."keptFrom" GROUP BY 2, 3, 4'),
    ('"channel"."reconcile_rollups"()',
      'FROM shown WHERE "period" <> ''all'' GROUP BY 1, 2, 3, 4',
      'FROM shown CROSS JOIN "channel"."book_hours" h
    WHERE "period" = ''day'' OR "period" = ''hour'' AND ("subject" = ''fleet'' OR "start" >= h."keptFrom") GROUP BY 1, 2, 3, 4')
  ) AS c("name", "before", "after") LOOP
    source := pg_get_functiondef(change."name"::regprocedure);
    IF position(change."before" IN source) = 0 THEN
      RAISE EXCEPTION 'function % is not what this migration changes', change."name";
    END IF;
    EXECUTE replace(source, change."before", change."after");
  END LOOP;
END $$;

-- ---------------------------------------------------------------- the chain's side

CREATE INDEX "watched_output_spent" ON "chain"."watched_output" ("updatedAt") WHERE "state" = 'spent-confirmed';
CREATE INDEX "broadcast_done" ON "chain"."broadcast" ("updatedAt") WHERE "state" IN ('buried', 'withdrawn');

-- ---------------------------------------------------------------- the audit log

-- Forgets entries that are older, at most so many; how many. The service's role can neither change nor remove one by itself.
CREATE FUNCTION "market"."forget_audit"(older_than INTERVAL, max_rows INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone INTEGER;
BEGIN
  IF older_than < interval '1 year' THEN
    RAISE EXCEPTION 'the audit log is kept for a year at least' USING ERRCODE = 'SF008';
  END IF;
  DELETE FROM "market"."audit_entry" WHERE "id" IN (
    SELECT "id" FROM "market"."audit_entry" WHERE "at" < now() - older_than ORDER BY "at" LIMIT max_rows);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

REVOKE ALL ON FUNCTION "market"."forget_audit"(INTERVAL, INTEGER) FROM PUBLIC;

CREATE INDEX "demand_day_day_idx" ON "market"."demand_day" ("day");
CREATE INDEX "demand_bid_day_idx" ON "market"."demand_bid" ("day");
