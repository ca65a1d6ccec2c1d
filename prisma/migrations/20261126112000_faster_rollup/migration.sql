-- Rolling up sums by subject and hour first, and makes days and totals of those sums: placing each measure of each posting eleven
-- times cost most of the time.
CREATE OR REPLACE FUNCTION "channel"."roll_up_books"(max_postings INTEGER) RETURNS INTEGER
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB' AS $$
  WITH taken AS MATERIALIZED (
    DELETE FROM "channel"."book_unrolled" WHERE "postingId" IN (
      SELECT "postingId" FROM "channel"."book_unrolled" ORDER BY "postingId" LIMIT max_postings FOR UPDATE SKIP LOCKED)
    RETURNING "postingId"
  ), line AS MATERIALIZED (
    SELECT date_trunc('hour', p."at", 'UTC') AS "hour", c."infoHash", c."nodeId", c."peerSubnet", m."measure", m."amount"
    FROM taken t
    JOIN "channel"."book_posting" p ON p."id" = t."postingId"
    LEFT JOIN "channel"."channel" c ON c."id" = p."channelId"
    CROSS JOIN LATERAL "channel"."measures_of"(p."id", c."id", c."priceSat") m
  ), summed AS MATERIALIZED (
    SELECT 'fleet' AS "subject", '' AS "key", "hour", "measure", sum("amount") AS "amount" FROM line GROUP BY "hour", "measure"
    UNION ALL
    SELECT 'torrent', "infoHash", "hour", "measure", sum("amount") FROM line
    WHERE "infoHash" IS NOT NULL GROUP BY "infoHash", "hour", "measure"
    UNION ALL
    SELECT 'node', "nodeId", "hour", "measure", sum("amount") FROM line
    WHERE "nodeId" IS NOT NULL GROUP BY "nodeId", "hour", "measure"
    UNION ALL
    SELECT 'buyer', "peerSubnet", "hour", "measure", sum("amount") FROM line
    WHERE "peerSubnet" IS NOT NULL GROUP BY "peerSubnet", "hour", "measure"
  ), added AS (
    INSERT INTO "channel"."book_rollup" AS r ("subject", "period", "key", "start", "measure", "amount")
    SELECT s."subject", p."period", s."key", p."start", s."measure", sum(s."amount")::bigint
    FROM summed s CROSS JOIN LATERAL (VALUES
      ('hour', s."hour"), ('day', date_trunc('day', s."hour", 'UTC')), ('all', '-infinity'::timestamptz)
    ) AS p("period", "start")
    WHERE NOT (s."subject" = 'buyer' AND p."period" = 'hour')
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(s."amount") <> 0
    -- In one order, so that two that run at once wait for each other instead of both failing.
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT ("subject", "period", "key", "start", "measure") DO UPDATE SET "amount" = r."amount" + EXCLUDED."amount"
  )
  SELECT count(*)::int FROM taken
$$;
