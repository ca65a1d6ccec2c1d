-- A settlement can be mined under another txid: a legacy txid covers the signatures, which the buyer may make anew and
-- anybody write in another way. What was mined then is noted beside what was sent, and its output is the coin.
ALTER TABLE "channel"."channel" ADD COLUMN "minedTxid" TEXT, ADD COLUMN "minedRaw" BYTEA;

ALTER TABLE "channel"."channel" ADD CONSTRAINT "channel_mined" CHECK (
  ("minedTxid" IS NULL) = ("minedRaw" IS NULL)
  AND ("minedTxid" IS NULL OR "settlementTxid" IS NOT NULL AND "minedTxid" <> "settlementTxid"
    AND "state" IN ('settled', 'buried', 'returned')));

-- What is mined in place of a settlement that pays us makes a coin as well; the one that was sent is none then.
CREATE FUNCTION "channel"."note_twin_coin"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO "channel"."treasury_coin" ("txid", "vout", "valueSat", "keyEpoch", "keyIndex", "source", "channelId")
  VALUES (NEW."minedTxid", 1, NEW."k" * NEW."priceSat" - NEW."settlementFeeSat", NEW."keyEpoch", NEW."keyIndex",
    'settlement', NEW."id")
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER "note_twin_coin" AFTER INSERT OR UPDATE OF "minedTxid" ON "channel"."channel"
  FOR EACH ROW WHEN (NEW."minedTxid" IS NOT NULL AND NEW."k" * NEW."priceSat" > 546 + NEW."settlementFeeSat")
  EXECUTE FUNCTION "channel"."note_twin_coin"();

-- Whether each coin is there (mined), and gone (spent by one that is mined).
CREATE OR REPLACE VIEW "channel"."treasury_coin_state" AS
SELECT k."txid", k."vout", k."valueSat", k."keyEpoch", k."keyIndex", k."source", k."channelId", k."lockedBy", k."createdAt",
  CASE k."source" WHEN 'settlement' THEN coalesce(c."state" IN ('settled', 'buried') AND k."txid" = coalesce(c."minedTxid", c."settlementTxid"), false)
    ELSE coalesce(m."state" IN ('confirmed', 'buried'), false) END AS "mined",
  CASE k."source" WHEN 'settlement' THEN coalesce(c."settlementConfirmations", 0)
    ELSE coalesce(m."confirmations", 0) END AS "confirmations",
  coalesce(s."state" IN ('confirmed', 'buried'), false) AS "spent"
FROM "channel"."treasury_coin" k
LEFT JOIN "channel"."channel" c ON k."source" = 'settlement' AND c."id" = k."channelId"
LEFT JOIN "channel"."treasury_transaction" m ON k."source" <> 'settlement' AND m."txid" = k."txid"
LEFT JOIN "channel"."treasury_transaction" s ON s."txid" = k."lockedBy";

-- The outputs of a settlement as they are written in it, with their number.
CREATE FUNCTION "channel"."settlement_outputs"(raw BYTEA) RETURNS BYTEA LANGUAGE sql IMMUTABLE AS $$
  SELECT substring(raw FROM outputs + 1 FOR 1 + 34 * get_byte(raw, outputs))
  FROM (SELECT CASE WHEN length(raw) > 46 AND get_byte(raw, 4) = 1 THEN 46 + get_byte(raw, 41) END) AS place(outputs)
$$;

-- Every difference between the books, the channels and the chain, to the satoshi; no row when all agree. One statement,
-- hence one moment. The chain is what chain-watcher found and keeps in its own schema, which this function alone may read
-- for the settler. The settler hears of the chain by messages, so differences in what is mined count only when both
-- sides have had `grace` to agree; amounts have to agree at any moment. What the treasury's transactions moved is the
-- matter of reconcile_treasury().
CREATE OR REPLACE FUNCTION "channel"."reconcile"(grace INTERVAL DEFAULT '60 seconds')
RETURNS TABLE (
  "code" TEXT, "channelId" TEXT, "infoHash" TEXT, "account" TEXT, "expectedSat" BIGINT, "actualSat" BIGINT, "detail" TEXT
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH booked AS MATERIALIZED (
    SELECT p."channelId", e."account", sum(e."amountSat")::bigint AS "amountSat"
    FROM "channel"."book_entry" e LEFT JOIN "channel"."book_posting" p ON p."id" = e."postingId"
    WHERE p."txid" IS NULL
    GROUP BY p."channelId", e."account"
  ), due AS (
    SELECT c."id", b."account", b."amountSat"
    FROM "channel"."channel" c
    CROSS JOIN LATERAL "channel"."book_balances"(
    "channel"."book_place"(c."state", c."k", c."frozenK", c."priceSat", c."settlementFeeSat"),
    c."k", c."priceSat", c."settlementFeeSat") b
    WHERE c."k" > 0
  ), summed AS (
    SELECT "channelId",
      coalesce(sum("amountSat") FILTER (WHERE "account" IN ('collectable', 'broadcast', 'confirmed', 'buried')), 0)
        ::bigint AS "sellerSat",
      coalesce(sum("amountSat") FILTER (
        WHERE "account" IN ('settlement-fee-reserved', 'settlement-fee', 'uncollectable')), 0)::bigint AS "minersSat",
      coalesce(sum("amountSat") FILTER (WHERE "account" IN ('confirmed', 'buried')), 0)::bigint AS "minedSat",
      coalesce(sum("amountSat") FILTER (WHERE "account" = 'buried'), 0)::bigint AS "buriedSat"
    FROM booked GROUP BY "channelId"
  ), settlement AS MATERIALIZED (
    SELECT c."id", c."infoHash", c."state", c."settlementTxid", c."settlementRaw", c."settlementHeight",
      c."fundingValueSat", c."minedTxid", c."minedRaw", b."txid", b."raw",
      CASE WHEN c."minedTxid" IS NULL THEN b."confirmedHeight" ELSE t."height" END AS "confirmedHeight",
      CASE WHEN c."minedTxid" IS NULL THEN b."state" ELSE t."state" END AS "chainState",
      a."buyerSat", a."sellerSat",
      coalesce(s."sellerSat", 0) AS "bookedSat", coalesce(s."minersSat", 0) AS "bookedMinersSat",
      coalesce(s."minedSat", 0) AS "bookedMinedSat", coalesce(s."buriedSat", 0) AS "bookedBuriedSat",
      CASE WHEN c."minedTxid" IS NULL THEN coalesce(b."state" IN ('confirmed', 'buried'), false)
        ELSE t."height" IS NOT NULL END AS "mined",
      c."state" IN ('settled', 'buried', 'returned') AS "minedForUs",
      c."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true)
        -- What the chain's side knew of an archived channel may be forgotten there.
        AND (CASE WHEN c."minedTxid" IS NULL THEN b."txid" IS NOT NULL ELSE t."state" IS NOT NULL END
          OR c."archivedAt" IS NULL) AS "ripe"
    FROM "channel"."channel" c
    LEFT JOIN "chain"."broadcast" b ON b."txid" = c."settlementTxid"
    -- What was mined in its place is known as the spend of the funding output, which is watched.
    LEFT JOIN LATERAL (
      SELECT w."spendHeight" AS "height", CASE WHEN w."spendHeight" IS NULL THEN 'unmined'
        WHEN (SELECT max(x."height") FROM "chain"."block" x) - w."spendHeight" + 1 >= 6 THEN 'buried'
        ELSE 'confirmed' END AS "state"
      FROM "chain"."watched_output" w
      WHERE c."minedTxid" IS NOT NULL AND w."txid" = c."fundingTxid" AND w."vout" = c."fundingVout"
        AND w."spendTxid" = c."minedTxid"
    ) t ON true
    LEFT JOIN LATERAL "channel"."settlement_amounts_sat"(b."raw") a ON true
    LEFT JOIN summed s ON s."channelId" = c."id"
    WHERE c."settlementTxid" IS NOT NULL
  )
  -- The books are not what the channel's state says.
  SELECT 'books-not-channel', coalesce(d."id", b."channelId")::text, c."infoHash", coalesce(d."account", b."account"),
    coalesce(d."amountSat", 0), coalesce(b."amountSat", 0), c."state"
  FROM due d FULL JOIN booked b ON b."channelId" = d."id" AND b."account" = d."account"
  LEFT JOIN "channel"."channel" c ON c."id" = coalesce(d."id", b."channelId")
  WHERE coalesce(d."amountSat", 0) <> coalesce(b."amountSat", 0)
UNION ALL
  -- A settlement that is stored never reached the chain's side.
  SELECT 'settlement-not-handed-over', "id"::text, "infoHash", NULL, 0, "bookedSat", "settlementTxid"
  FROM settlement WHERE "txid" IS NULL AND "ripe"
UNION ALL
  SELECT 'settlement-bytes-differ', "id"::text, "infoHash", NULL, NULL, NULL, "settlementTxid"
  FROM settlement WHERE "txid" IS NOT NULL AND "raw" IS DISTINCT FROM "settlementRaw"
UNION ALL
  -- What is booked as mined in its place has other outputs.
  SELECT 'settlement-bytes-differ', "id"::text, "infoHash", NULL, NULL, NULL, "minedTxid"
  FROM settlement WHERE "minedTxid" IS NOT NULL
    AND coalesce(position("channel"."settlement_outputs"("settlementRaw") IN "minedRaw"), 0) = 0
UNION ALL
  -- Our output in the transaction is not what is booked as ours.
  SELECT 'seller-output-differs', "id"::text, "infoHash", NULL, "sellerSat", "bookedSat", "settlementTxid"
  FROM settlement
  WHERE "txid" IS NOT NULL AND "state" NOT IN ('lost', 'nothing-owed') AND "sellerSat" IS DISTINCT FROM "bookedSat"
UNION ALL
  SELECT 'mining-fee-differs', "id"::text, "infoHash", NULL, "fundingValueSat" - "buyerSat" - "sellerSat",
    "bookedMinersSat", "settlementTxid"
  FROM settlement
  WHERE "txid" IS NOT NULL AND "state" NOT IN ('lost', 'nothing-owed')
    AND "fundingValueSat" - "buyerSat" - "sellerSat" IS DISTINCT FROM "bookedMinersSat"
UNION ALL
  SELECT CASE WHEN "mined" THEN 'mined-not-booked' ELSE 'booked-not-mined' END, "id"::text, "infoHash", 'confirmed',
    CASE WHEN "mined" THEN "sellerSat" ELSE 0 END, "bookedMinedSat", coalesce("chainState", 'unknown')
  FROM settlement WHERE "ripe" AND "mined" <> "minedForUs"
UNION ALL
  SELECT CASE WHEN "chainState" = 'buried' THEN 'buried-not-booked' ELSE 'booked-not-buried' END, "id"::text, "infoHash",
    'buried', CASE WHEN "chainState" = 'buried' THEN "sellerSat" ELSE 0 END, "bookedBuriedSat", "chainState"
  FROM settlement
  WHERE "ripe" AND "mined" AND "minedForUs" AND ("chainState" = 'buried') <> ("state" IN ('buried', 'returned'))
UNION ALL
  SELECT 'height-differs', "id"::text, "infoHash", NULL, NULL, NULL,
    concat_ws(' ', 'chain', "confirmedHeight", 'channel', "settlementHeight")
  FROM settlement
  WHERE "ripe" AND "mined" AND "minedForUs" AND "confirmedHeight" IS DISTINCT FROM "settlementHeight"
UNION ALL
  -- The output on chain is worth something else than the channel counts with.
  SELECT 'funding-value-differs', c."id"::text, c."infoHash", NULL, w."valueSat", c."fundingValueSat", w."txid"
  FROM "channel"."channel" c
  JOIN "chain"."watched_output" w ON w."txid" = c."fundingTxid" AND w."vout" = c."fundingVout"
  WHERE c."outpointClaimed" AND w."valueSat" IS NOT NULL AND w."valueSat" <> c."fundingValueSat"
UNION ALL
  -- The output went to a transaction that is not ours, and is booked as if it came to us.
  SELECT 'spent-by-another', s."id"::text, s."infoHash", 'confirmed', 0, s."bookedMinedSat", w."spendTxid"
  FROM settlement s JOIN "channel"."channel" c ON c."id" = s."id"
  JOIN "chain"."watched_output" w ON w."txid" = c."fundingTxid" AND w."vout" = c."fundingVout"
  WHERE s."ripe" AND s."minedForUs" AND w."state" = 'spent-confirmed' AND w."spendTxid" <> coalesce(s."minedTxid", s."settlementTxid")
    AND w."updatedAt" < now() - grace
UNION ALL
  -- At most one settlement is ever sent per channel; this one is no channel's.
  SELECT 'settlement-of-no-channel', substring(b."label" FROM 12), NULL, NULL, a."sellerSat", 0, b."txid"
  FROM "chain"."broadcast" b
  LEFT JOIN LATERAL "channel"."settlement_amounts_sat"(b."raw") a ON true
  WHERE b."label" LIKE 'settlement:%'
    AND NOT EXISTS (SELECT FROM settlement s WHERE s."settlementTxid" = b."txid")
$$;
