-- What each channel holds in each account, without summing all its entries anew: balances up to what was rolled up, and the entries of
-- postings that were not yet. They are added where a posting is rolled up, in the same statement, so nothing is left out or added
-- twice. Comparing them with channels and chain every minute costs by the number of channels; that they are the sums of the
-- entries is what the full recount, channel.reconcile(), says from time to time: it compares the entries with the same channels.

-- CreateTable
CREATE TABLE "channel"."book_running" (
    "channelId" UUID NOT NULL,
    "account" TEXT NOT NULL,
    "amountSat" BIGINT NOT NULL,

    CONSTRAINT "book_running_pkey" PRIMARY KEY ("channelId","account")
-- Amounts alone change, in place.
) WITH (fillfactor = 70);

-- What is rolled up by now. No roll-up may come between.
DO $$
BEGIN
  LOCK TABLE "channel"."book_unrolled" IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO "channel"."book_running" ("channelId", "account", "amountSat")
  SELECT p."channelId", e."account", sum(e."amountSat")::bigint
  FROM "channel"."book_entry" e JOIN "channel"."book_posting" p ON p."id" = e."postingId"
  WHERE p."txid" IS NULL AND NOT EXISTS (SELECT FROM "channel"."book_unrolled" u WHERE u."postingId" = p."id")
  GROUP BY 1, 2;
END $$;

-- What each channel holds at this moment. Postings about the treasury's transactions are few, and are not in it.
CREATE VIEW "channel"."book_now" AS
SELECT s."channelId", s."account", sum(s."amountSat")::bigint AS "amountSat"
FROM (
  SELECT r."channelId", r."account", r."amountSat" FROM "channel"."book_running" r
  UNION ALL
  SELECT p."channelId", e."account", e."amountSat"
  FROM "channel"."book_unrolled" u
  JOIN "channel"."book_posting" p ON p."id" = u."postingId"
  JOIN "channel"."book_entry" e ON e."postingId" = u."postingId"
  WHERE p."txid" IS NULL
) s GROUP BY 1, 2;

-- The same as book_balance, from these.
CREATE VIEW "channel"."book_balance_now" AS
SELECT s."account", sum(s."amountSat")::bigint AS "amountSat"
FROM (
  SELECT n."account", n."amountSat" FROM "channel"."book_now" n
  UNION ALL
  SELECT e."account", e."amountSat"
  FROM "channel"."book_posting" p JOIN "channel"."book_entry" e ON e."postingId" = p."id" WHERE p."txid" IS NOT NULL
) s GROUP BY 1;

-- Functions that are as another one but for a piece: what surrounds it stays as it is in this database.
DO $$
DECLARE
  change RECORD;
  source TEXT;
BEGIN
  FOR change IN SELECT * FROM (VALUES
    ('"channel"."roll_up_books"(INTEGER)', '', '',
      '  SELECT count(*)::int FROM taken',
      '  , closed AS (
    INSERT INTO "channel"."book_running" AS b ("channelId", "account", "amountSat")
    SELECT p."channelId", e."account", sum(e."amountSat")::bigint
    FROM taken t
    JOIN "channel"."book_posting" p ON p."id" = t."postingId"
    JOIN "channel"."book_entry" e ON e."postingId" = t."postingId"
    WHERE p."txid" IS NULL
    GROUP BY 1, 2
    -- In one order, as above.
    ORDER BY 1, 2
    ON CONFLICT ("channelId", "account") DO UPDATE SET "amountSat" = b."amountSat" + EXCLUDED."amountSat"
  )
  SELECT count(*)::int FROM taken'),
    ('"channel"."reconcile"(INTERVAL)', 'FUNCTION channel.reconcile(', 'FUNCTION channel.reconcile_running(',
      'SELECT p."channelId", e."account", sum(e."amountSat")::bigint AS "amountSat"
    FROM "channel"."book_entry" e LEFT JOIN "channel"."book_posting" p ON p."id" = e."postingId"
    WHERE p."txid" IS NULL
    GROUP BY p."channelId", e."account"',
      'SELECT n."channelId", n."account", n."amountSat" FROM "channel"."book_now" n'),
    ('"channel"."reconcile_treasury"(INTERVAL)',
      'FUNCTION channel.reconcile_treasury(', 'FUNCTION channel.reconcile_treasury_running(',
      '(SELECT coalesce(sum(e."amountSat"), 0)::bigint
        FROM "channel"."book_entry" e JOIN "channel"."book_posting" p ON p."id" = e."postingId"
        LEFT JOIN "channel"."channel" c ON c."id" = p."channelId"
        WHERE e."account" = ''spent'' OR e."account" IN (''confirmed'', ''buried'') AND c."settlementTxid" IS NOT NULL)',
      '(SELECT coalesce(sum(b."amountSat"), 0)::bigint FROM (
        SELECT n."amountSat" FROM "channel"."book_now" n JOIN "channel"."channel" c ON c."id" = n."channelId"
        WHERE n."account" IN (''confirmed'', ''buried'') AND c."settlementTxid" IS NOT NULL
        UNION ALL
        SELECT e."amountSat" FROM "channel"."book_posting" p JOIN "channel"."book_entry" e ON e."postingId" = p."id"
        WHERE p."txid" IS NOT NULL AND e."account" = ''spent''
      ) b)')
  ) AS c("name", "title", "newTitle", "before", "after") LOOP
    source := pg_get_functiondef(change."name"::regprocedure);
    IF position(change."before" IN source) = 0 OR position(change."title" IN source) = 0 THEN
      RAISE EXCEPTION 'function % is not what this migration changes', change."name";
    END IF;
    source := replace(source, change."before", change."after");
    IF change."title" <> '' THEN
      source := replace(source, change."title", change."newTitle");
    END IF;
    EXECUTE source;
  END LOOP;
END $$;
