-- The books: double entries per channel, posted by the database itself in the transaction that changes the channel. What
-- every account holds is a function of the channel's row; each change posts the difference. So no code path moves money
-- without an entry, a reorganisation reverses by posting, and each account equals the fold of the channel's states.

-- CreateTable
CREATE TABLE "channel"."book_posting" (
    "id" BIGSERIAL NOT NULL,
    "channelId" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "book_posting_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel"."book_entry" (
    "postingId" BIGINT NOT NULL,
    "account" TEXT NOT NULL,
    "amountSat" BIGINT NOT NULL,

    CONSTRAINT "book_entry_pkey" PRIMARY KEY ("postingId","account")
);

-- CreateIndex
CREATE INDEX "book_posting_channelId_idx" ON "channel"."book_posting"("channelId");

-- CreateIndex
CREATE INDEX "book_posting_at_idx" ON "channel"."book_posting"("at");

ALTER TABLE "channel"."book_entry"
  ADD CONSTRAINT "book_entry_account" CHECK ("account" IN (
    'accrued', 'collectable', 'settlement-fee-reserved', 'broadcast', 'confirmed', 'buried', 'settlement-fee',
    'uncollectable', 'lost', 'child-fee', 'swept', 'revenue')),
  ADD CONSTRAINT "book_entry_amount" CHECK ("amountSat" <> 0);

-- ---------------------------------------------------------------- the rule

-- The account that holds a channel's payments in this state; @seedfleet/books explains the accounts and has the same rule.
-- 546 is the value at and below which a settlement has no output for the seller.
CREATE FUNCTION "channel"."book_place"(state TEXT, k BIGINT, frozen_k BIGINT, price_sat BIGINT, fee_sat BIGINT)
RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN state IN ('returned', 'nothing-owed', 'join-expired', 'refused') THEN 'uncollectable'
    WHEN k * price_sat <= 546 + fee_sat THEN
      CASE WHEN frozen_k IS NULL AND state <> 'lost' THEN 'accrued' ELSE 'uncollectable' END
    WHEN state = 'lost' THEN 'lost'
    WHEN state = 'settling' THEN 'broadcast'
    WHEN state = 'settled' THEN 'confirmed'
    WHEN state = 'buried' THEN 'buried'
    ELSE 'collectable'
  END
$$;

-- What every account holds of a channel whose payments are at this place. Where the settlement pays us, its fee is apart.
CREATE FUNCTION "channel"."book_balances"(place TEXT, k BIGINT, price_sat BIGINT, fee_sat BIGINT)
RETURNS TABLE ("account" TEXT, "amountSat" BIGINT) LANGUAGE sql IMMUTABLE AS $$
  SELECT entry."account", entry."amountSat"
  FROM (VALUES
    (place, k * price_sat
      - CASE WHEN place IN ('collectable', 'broadcast', 'confirmed', 'buried') THEN fee_sat ELSE 0 END),
    ('settlement-fee-reserved', CASE WHEN place IN ('collectable', 'broadcast') THEN fee_sat ELSE 0 END),
    ('settlement-fee', CASE WHEN place IN ('confirmed', 'buried') THEN fee_sat ELSE 0 END),
    ('revenue', -k * price_sat)
  ) AS entry("account", "amountSat")
  WHERE entry."amountSat" <> 0
$$;

-- ---------------------------------------------------------------- posting

-- Price, fee and id of a channel never change, and k and frozenK never go back (guard_channel); so one look at k,
-- frozenK and state tells whether a row can need a posting. Statement by statement, so that a batch of payments costs one
-- pass. Plans are kept over calls, and one made for a single row must not join thousands in nested loops; without those a
-- plan looks so costly that Postgres would compile it, half a second for each statement.
CREATE FUNCTION "channel"."post_changed_channels"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
BEGIN
  WITH changed AS MATERIALIZED (
    SELECT n."id", n."version", n."state", n."stateReason", n."priceSat", n."settlementFeeSat", n."k", o."k" AS "oldK",
      "channel"."book_place"(n."state", n."k", n."frozenK", n."priceSat", n."settlementFeeSat") AS "place",
      "channel"."book_place"(o."state", o."k", o."frozenK", o."priceSat", o."settlementFeeSat") AS "oldPlace"
    FROM new_rows n JOIN old_rows o ON o."id" = n."id"
    WHERE n."k" * n."priceSat" > 0
      AND (n."k" <> o."k" OR n."state" <> o."state" OR n."frozenK" IS DISTINCT FROM o."frozenK")
  ), entry AS MATERIALIZED (
    -- Nearly always a payment adds to where the ones before it are, and the fee stays where it is.
    SELECT c."id", v."account", v."amountSat"
    FROM changed c CROSS JOIN LATERAL (VALUES
      (c."place", (c."k" - c."oldK") * c."priceSat"), ('revenue', (c."oldK" - c."k") * c."priceSat")
    ) AS v("account", "amountSat")
    WHERE c."place" = c."oldPlace" AND c."k" <> c."oldK"
    UNION ALL
    SELECT c."id", d."account", sum(d."amountSat")::bigint
    FROM changed c CROSS JOIN LATERAL (
      SELECT b."account", b."amountSat"
      FROM "channel"."book_balances"(c."place", c."k", c."priceSat", c."settlementFeeSat") b
      UNION ALL
      SELECT b."account", -b."amountSat"
      FROM "channel"."book_balances"(c."oldPlace", c."oldK", c."priceSat", c."settlementFeeSat") b
    ) d
    WHERE c."place" <> c."oldPlace"
    GROUP BY c."id", d."account" HAVING sum(d."amountSat") <> 0
  ), posted AS (
    INSERT INTO "channel"."book_posting" ("channelId", "version", "state", "reason")
    SELECT c."id", c."version", c."state", c."stateReason" FROM changed c
    WHERE c."id" IN (SELECT e."id" FROM entry e)
    RETURNING "id", "channelId"
  )
  INSERT INTO "channel"."book_entry" ("postingId", "account", "amountSat")
  SELECT p."id", e."account", e."amountSat" FROM posted p JOIN entry e ON e."id" = p."channelId";
  RETURN NULL;
END $$;

CREATE FUNCTION "channel"."post_new_channels"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
BEGIN
  WITH posted AS (
    INSERT INTO "channel"."book_posting" ("channelId", "version", "state", "reason")
    SELECT n."id", n."version", n."state", n."stateReason" FROM new_rows n WHERE n."k" * n."priceSat" > 0
    RETURNING "id", "channelId"
  )
  INSERT INTO "channel"."book_entry" ("postingId", "account", "amountSat")
  SELECT p."id", b."account", b."amountSat"
  FROM posted p JOIN new_rows n ON n."id" = p."channelId"
  CROSS JOIN LATERAL "channel"."book_balances"(
    "channel"."book_place"(n."state", n."k", n."frozenK", n."priceSat", n."settlementFeeSat"),
    n."k", n."priceSat", n."settlementFeeSat") b;
  RETURN NULL;
END $$;

CREATE TRIGGER "post_changed_channels" AFTER UPDATE ON "channel"."channel"
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."post_changed_channels"();

CREATE TRIGGER "post_new_channels" AFTER INSERT ON "channel"."channel"
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."post_new_channels"();

-- ---------------------------------------------------------------- rules that no program may break

-- All entries of a posting come in one statement, and balance.
CREATE FUNCTION "channel"."check_entries"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong RECORD;
BEGIN
  SELECT e."postingId", sum(e."amountSat") AS "sumSat" INTO wrong
  FROM new_entries e GROUP BY e."postingId" HAVING sum(e."amountSat") <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'posting % does not balance: % satoshi', wrong."postingId", wrong."sumSat" USING ERRCODE = 'SF005';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "check_entries" AFTER INSERT ON "channel"."book_entry"
  REFERENCING NEW TABLE AS new_entries
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."check_entries"();

-- Books are corrected by posting, never by editing.
CREATE FUNCTION "channel"."refuse_edit"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %: the books are append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'SF006';
END $$;

CREATE TRIGGER "append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "channel"."book_posting"
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."refuse_edit"();

CREATE TRIGGER "append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "channel"."book_entry"
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."refuse_edit"();

-- A channel in the books stays: its amounts would have no origin.
CREATE FUNCTION "channel"."refuse_removal"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of channels: they are in the books', TG_OP USING ERRCODE = 'SF007';
END $$;

CREATE TRIGGER "keep_booked" BEFORE DELETE ON "channel"."channel"
  FOR EACH ROW WHEN (OLD."k" > 0) EXECUTE FUNCTION "channel"."refuse_removal"();

CREATE TRIGGER "keep_booked_all" BEFORE TRUNCATE ON "channel"."channel"
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."refuse_removal"();

-- ---------------------------------------------------------------- channels that were there before the books

WITH posted AS (
  INSERT INTO "channel"."book_posting" ("channelId", "version", "state", "reason")
  SELECT "id", "version", "state", "stateReason" FROM "channel"."channel" WHERE "k" * "priceSat" > 0
  RETURNING "id", "channelId"
)
INSERT INTO "channel"."book_entry" ("postingId", "account", "amountSat")
SELECT p."id", b."account", b."amountSat"
FROM posted p JOIN "channel"."channel" c ON c."id" = p."channelId"
CROSS JOIN LATERAL "channel"."book_balances"(
    "channel"."book_place"(c."state", c."k", c."frozenK", c."priceSat", c."settlementFeeSat"),
    c."k", c."priceSat", c."settlementFeeSat") b;

-- ---------------------------------------------------------------- reports

-- Every entry with what it is about.
CREATE VIEW "channel"."book_line" AS
SELECT p."id" AS "postingId", p."at", p."channelId", p."version", p."state", p."reason",
  c."infoHash", c."nodeId", c."peerSubnet", e."account", e."amountSat"
FROM "channel"."book_posting" p
JOIN "channel"."book_entry" e ON e."postingId" = p."id"
JOIN "channel"."channel" c ON c."id" = p."channelId";

CREATE VIEW "channel"."book_balance" AS
SELECT "account", sum("amountSat")::bigint AS "amountSat" FROM "channel"."book_entry" GROUP BY "account";

-- revenue_by_torrent, revenue_by_node, revenue_by_buyer, revenue_by_day: the balances of every account, satoshi, and of how
-- many channels. Revenue is shown positive and is the sum of all other figures. A day's figures are what was posted on
-- it (UTC), so a restatement after a reorganisation shows as negative amounts on its own day.
DO $$
DECLARE
  report RECORD;
BEGIN
  FOR report IN SELECT * FROM (VALUES
    ('torrent', '"infoHash"', '"infoHash"'),
    ('node', '"nodeId"', '"nodeId"'),
    ('buyer', '"peerSubnet"', '"peerSubnet"'),
    ('day', '("at" AT TIME ZONE ''UTC'')::date', '"day"')
  ) AS r("subject", "expression", "label") LOOP
    EXECUTE format($view$
      CREATE VIEW "channel".%I AS
      SELECT %s AS %s, count(DISTINCT "channelId")::int AS "channels",
        coalesce(-sum("amountSat") FILTER (WHERE "account" = 'revenue'), 0)::bigint AS "revenueSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'accrued'), 0)::bigint AS "accruedSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'collectable'), 0)::bigint AS "collectableSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'settlement-fee-reserved'), 0)::bigint
          AS "settlementFeeReservedSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'broadcast'), 0)::bigint AS "broadcastSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'confirmed'), 0)::bigint AS "confirmedSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'buried'), 0)::bigint AS "buriedSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'settlement-fee'), 0)::bigint AS "settlementFeeSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'uncollectable'), 0)::bigint AS "uncollectableSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'lost'), 0)::bigint AS "lostSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'child-fee'), 0)::bigint AS "childFeeSat",
        coalesce(sum("amountSat") FILTER (WHERE "account" = 'swept'), 0)::bigint AS "sweptSat"
      FROM "channel"."book_line" GROUP BY 1
    $view$, 'revenue_by_' || report."subject", report."expression", report."label");
  END LOOP;
END $$;

-- ---------------------------------------------------------------- reconciliation

-- 8 bytes, little endian; null beyond the end.
CREATE FUNCTION "channel"."read_amount_sat"(raw BYTEA, at INTEGER) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN at >= 0 AND at + 8 <= length(raw) THEN (
    SELECT sum(get_byte(raw, at + i)::bigint << (8 * i))::bigint FROM generate_series(0, 7) AS i
  ) END
$$;

-- The amounts of a settlement's bytes: version (4), one input (1 + 36 + script + 4), one or two outputs with scripts of 25
-- bytes, locktime (4). The input's script is shorter than 253 bytes, so its length is one byte. Null for other layouts.
CREATE FUNCTION "channel"."settlement_amounts_sat"(raw BYTEA)
RETURNS TABLE ("buyerSat" BIGINT, "sellerSat" BIGINT) LANGUAGE sql IMMUTABLE AS $$
  SELECT "channel"."read_amount_sat"(raw, outputs + 1),
    CASE WHEN get_byte(raw, outputs) = 2 THEN "channel"."read_amount_sat"(raw, outputs + 35) ELSE 0 END
  FROM (SELECT CASE WHEN length(raw) > 46 AND get_byte(raw, 4) = 1 THEN 46 + get_byte(raw, 41) END) AS place(outputs)
  WHERE length(raw) = outputs + 1 + 34 * get_byte(raw, outputs) + 4 AND get_byte(raw, outputs) IN (1, 2)
$$;

-- Every difference between the books, the channels and the chain, to the satoshi; no row when all agree. One statement,
-- hence one moment. The chain is what chain-watcher found and keeps in its own schema, which this function alone may read
-- for the settler. The settler hears of the chain by messages, so differences in what is mined count only when both
-- sides have had `grace` to agree; amounts have to agree at any moment.
CREATE FUNCTION "channel"."reconcile"(grace INTERVAL DEFAULT '60 seconds')
RETURNS TABLE (
  "code" TEXT, "channelId" TEXT, "infoHash" TEXT, "account" TEXT, "expectedSat" BIGINT, "actualSat" BIGINT, "detail" TEXT
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH booked AS MATERIALIZED (
    SELECT p."channelId", e."account", sum(e."amountSat")::bigint AS "amountSat"
    FROM "channel"."book_entry" e LEFT JOIN "channel"."book_posting" p ON p."id" = e."postingId"
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
      c."fundingValueSat", b."txid", b."raw", b."confirmedHeight", b."state" AS "chainState",
      a."buyerSat", a."sellerSat",
      coalesce(s."sellerSat", 0) AS "bookedSat", coalesce(s."minersSat", 0) AS "bookedMinersSat",
      coalesce(s."minedSat", 0) AS "bookedMinedSat", coalesce(s."buriedSat", 0) AS "bookedBuriedSat",
      coalesce(b."state" IN ('confirmed', 'buried'), false) AS "mined",
      c."state" IN ('settled', 'buried', 'returned') AS "minedForUs",
      c."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true) AS "ripe"
    FROM "channel"."channel" c
    LEFT JOIN "chain"."broadcast" b ON b."txid" = c."settlementTxid"
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
  WHERE s."ripe" AND s."minedForUs" AND w."state" = 'spent-confirmed' AND w."spendTxid" <> s."settlementTxid"
    AND w."updatedAt" < now() - grace
UNION ALL
  -- At most one settlement is ever sent per channel; this one is no channel's.
  SELECT 'settlement-of-no-channel', substring(b."label" FROM 12), NULL, NULL, a."sellerSat", 0, b."txid"
  FROM "chain"."broadcast" b
  LEFT JOIN LATERAL "channel"."settlement_amounts_sat"(b."raw") a ON true
  WHERE b."label" LIKE 'settlement:%'
    AND NOT EXISTS (SELECT FROM settlement s WHERE s."settlementTxid" = b."txid")
$$;
