-- What was earned lies on payout keys. Here is what becomes of it: children that pay for their settlements, coins made for
-- that purpose, and sweeps to the operator's own wallet. Every one of these transactions is stored before it is sent,
-- every coin is spent by at most one of those that live, and what each moves is posted to the books when it is mined.

-- CreateTable
CREATE TABLE "channel"."treasury_transaction" (
    "txid" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "channelId" UUID,
    "raw" BYTEA NOT NULL,
    "inputSat" BIGINT NOT NULL,
    "feeSat" BIGINT NOT NULL,
    "virtualBytes" INTEGER NOT NULL,
    "destination" TEXT,
    "reason" TEXT NOT NULL,
    "replaces" TEXT,
    "madeAtHeight" INTEGER NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'stored',
    "stateReason" TEXT NOT NULL DEFAULT 'stored',
    "height" INTEGER,
    "confirmations" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 0,
    "nextActionAt" TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "treasury_transaction_pkey" PRIMARY KEY ("txid")
);

-- CreateTable
CREATE TABLE "channel"."treasury_coin" (
    "txid" TEXT NOT NULL,
    "vout" INTEGER NOT NULL,
    "valueSat" BIGINT NOT NULL,
    "keyEpoch" INTEGER NOT NULL,
    "keyIndex" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "channelId" UUID,
    "lockedBy" TEXT,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "treasury_coin_pkey" PRIMARY KEY ("txid","vout")
);

-- CreateTable
CREATE TABLE "channel"."treasury_input" (
    "spenderTxid" TEXT NOT NULL,
    "txid" TEXT NOT NULL,
    "vout" INTEGER NOT NULL,

    CONSTRAINT "treasury_input_pkey" PRIMARY KEY ("spenderTxid","txid","vout")
);

-- CreateIndex
CREATE INDEX "treasury_transaction_nextActionAt_idx" ON "channel"."treasury_transaction"("nextActionAt");

-- CreateIndex
CREATE INDEX "treasury_transaction_channelId_idx" ON "channel"."treasury_transaction"("channelId");

-- CreateIndex
CREATE INDEX "treasury_transaction_createdAt_idx" ON "channel"."treasury_transaction"("createdAt");

-- CreateIndex
CREATE INDEX "treasury_coin_lockedBy_idx" ON "channel"."treasury_coin"("lockedBy");

-- CreateIndex
CREATE INDEX "treasury_input_txid_vout_idx" ON "channel"."treasury_input"("txid", "vout");

-- AddForeignKey
ALTER TABLE "channel"."treasury_coin" ADD CONSTRAINT "treasury_coin_lockedBy_fkey" FOREIGN KEY ("lockedBy") REFERENCES "channel"."treasury_transaction"("txid") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel"."treasury_input" ADD CONSTRAINT "treasury_input_spenderTxid_fkey" FOREIGN KEY ("spenderTxid") REFERENCES "channel"."treasury_transaction"("txid") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel"."treasury_input" ADD CONSTRAINT "treasury_input_txid_vout_fkey" FOREIGN KEY ("txid", "vout") REFERENCES "channel"."treasury_coin"("txid", "vout") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "channel"."treasury_transaction"
  ADD CONSTRAINT "treasury_transaction_kind" CHECK ("kind" IN ('child', 'split', 'sweep')),
  ADD CONSTRAINT "treasury_transaction_state" CHECK ("state" IN (
    'stored', 'mempool', 'rejected', 'conflicted', 'replaced', 'void', 'confirmed', 'buried')),
  ADD CONSTRAINT "treasury_transaction_amounts" CHECK ("feeSat" > 0 AND "inputSat" > "feeSat");

ALTER TABLE "channel"."treasury_coin"
  ADD CONSTRAINT "treasury_coin_source" CHECK ("source" IN ('settlement', 'child', 'split')),
  ADD CONSTRAINT "treasury_coin_value" CHECK ("valueSat" > 0);

-- ---------------------------------------------------------------- coins

-- A stored settlement that pays us makes a coin: its output 1, on the payout key of its channel.
CREATE FUNCTION "channel"."note_settlement_coin"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO "channel"."treasury_coin" ("txid", "vout", "valueSat", "keyEpoch", "keyIndex", "source", "channelId")
  VALUES (NEW."settlementTxid", 1, NEW."k" * NEW."priceSat" - NEW."settlementFeeSat", NEW."keyEpoch", NEW."keyIndex",
    'settlement', NEW."id")
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER "note_settlement_coin" AFTER INSERT OR UPDATE OF "settlementTxid" ON "channel"."channel"
  FOR EACH ROW WHEN (NEW."settlementTxid" IS NOT NULL AND NEW."k" * NEW."priceSat" > 546 + NEW."settlementFeeSat")
  EXECUTE FUNCTION "channel"."note_settlement_coin"();

INSERT INTO "channel"."treasury_coin" ("txid", "vout", "valueSat", "keyEpoch", "keyIndex", "source", "channelId")
SELECT "settlementTxid", 1, "k" * "priceSat" - "settlementFeeSat", "keyEpoch", "keyIndex", 'settlement', "id"
FROM "channel"."channel"
WHERE "settlementTxid" IS NOT NULL AND "k" * "priceSat" > 546 + "settlementFeeSat";

-- Whether each coin is there (mined), and gone (spent by one that is mined).
CREATE VIEW "channel"."treasury_coin_state" AS
SELECT k."txid", k."vout", k."valueSat", k."keyEpoch", k."keyIndex", k."source", k."channelId", k."lockedBy", k."createdAt",
  CASE k."source" WHEN 'settlement' THEN coalesce(c."state" IN ('settled', 'buried'), false)
    ELSE coalesce(m."state" IN ('confirmed', 'buried'), false) END AS "mined",
  CASE k."source" WHEN 'settlement' THEN coalesce(c."settlementConfirmations", 0)
    ELSE coalesce(m."confirmations", 0) END AS "confirmations",
  coalesce(s."state" IN ('confirmed', 'buried'), false) AS "spent"
FROM "channel"."treasury_coin" k
LEFT JOIN "channel"."channel" c ON k."source" = 'settlement' AND c."id" = k."channelId"
LEFT JOIN "channel"."treasury_transaction" m ON k."source" <> 'settlement' AND m."txid" = k."txid"
LEFT JOIN "channel"."treasury_transaction" s ON s."txid" = k."lockedBy";

-- ---------------------------------------------------------------- rules that no program may break

-- What is signed and stored stays as it is; only its fate on chain changes.
CREATE FUNCTION "channel"."guard_treasury_transaction"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW."txid", NEW."kind", NEW."channelId", NEW."raw", NEW."inputSat", NEW."feeSat", NEW."destination")
     IS DISTINCT FROM
     (OLD."txid", OLD."kind", OLD."channelId", OLD."raw", OLD."inputSat", OLD."feeSat", OLD."destination") THEN
    RAISE EXCEPTION 'treasury transaction %: it is signed and stored', OLD."txid" USING ERRCODE = 'SF008';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "guard_treasury_transaction" BEFORE UPDATE ON "channel"."treasury_transaction"
  FOR EACH ROW EXECUTE FUNCTION "channel"."guard_treasury_transaction"();

-- A coin is locked by one transaction, and goes to another one only when that has been replaced or can't come any more.
CREATE FUNCTION "channel"."guard_treasury_coin"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW."txid", NEW."vout", NEW."valueSat", NEW."keyEpoch", NEW."keyIndex", NEW."source", NEW."channelId")
     IS DISTINCT FROM
     (OLD."txid", OLD."vout", OLD."valueSat", OLD."keyEpoch", OLD."keyIndex", OLD."source", OLD."channelId") THEN
    RAISE EXCEPTION 'coin %:%: it is what it is', OLD."txid", OLD."vout" USING ERRCODE = 'SF008';
  END IF;
  IF OLD."lockedBy" IS NOT NULL AND NEW."lockedBy" IS DISTINCT FROM OLD."lockedBy" AND EXISTS (
      SELECT FROM "channel"."treasury_transaction" t
      WHERE t."txid" = OLD."lockedBy" AND t."state" NOT IN ('replaced', 'void', 'conflicted')) THEN
    RAISE EXCEPTION 'coin %:%: % spends it', OLD."txid", OLD."vout", OLD."lockedBy" USING ERRCODE = 'SF009';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "guard_treasury_coin" BEFORE UPDATE ON "channel"."treasury_coin"
  FOR EACH ROW EXECUTE FUNCTION "channel"."guard_treasury_coin"();

CREATE FUNCTION "channel"."keep_treasury"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %: it is in the books', TG_OP, TG_TABLE_NAME USING ERRCODE = 'SF007';
END $$;

CREATE TRIGGER "keep_booked" BEFORE DELETE OR TRUNCATE ON "channel"."treasury_transaction"
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."keep_treasury"();
CREATE TRIGGER "keep_booked" BEFORE DELETE OR TRUNCATE ON "channel"."treasury_coin"
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."keep_treasury"();
CREATE TRIGGER "keep_booked" BEFORE UPDATE OR DELETE OR TRUNCATE ON "channel"."treasury_input"
  FOR EACH STATEMENT EXECUTE FUNCTION "channel"."keep_treasury"();

-- ---------------------------------------------------------------- posting

-- A posting is about a channel, about a transaction of the treasury, or, for a child, about both.
ALTER TABLE "channel"."book_posting" ALTER COLUMN "channelId" DROP NOT NULL, ADD COLUMN "txid" TEXT,
  ADD CONSTRAINT "book_posting_subject" CHECK ("channelId" IS NOT NULL OR "txid" IS NOT NULL);

-- CreateIndex
CREATE INDEX "book_posting_txid_idx" ON "channel"."book_posting"("txid");

ALTER TABLE "channel"."book_entry" DROP CONSTRAINT "book_entry_account",
  ADD CONSTRAINT "book_entry_account" CHECK ("account" IN (
    'accrued', 'collectable', 'settlement-fee-reserved', 'broadcast', 'confirmed', 'buried', 'settlement-fee',
    'uncollectable', 'lost', 'child-fee', 'swept', 'sweep-fee', 'spent', 'revenue'));

-- What every account holds of a transaction of the treasury; @seedfleet/books has the same rule.
CREATE FUNCTION "channel"."treasury_balances"(kind TEXT, state TEXT, input_sat BIGINT, fee_sat BIGINT)
RETURNS TABLE ("account" TEXT, "amountSat" BIGINT) LANGUAGE sql IMMUTABLE AS $$
  SELECT entry."account", entry."amountSat"
  FROM (VALUES
    ('child-fee', CASE WHEN kind = 'child' THEN fee_sat ELSE 0 END),
    ('sweep-fee', CASE WHEN kind IN ('sweep', 'split') THEN fee_sat ELSE 0 END),
    ('swept', CASE WHEN kind = 'sweep' THEN input_sat - fee_sat ELSE 0 END),
    ('spent', CASE WHEN kind = 'sweep' THEN -input_sat ELSE -fee_sat END)
  ) AS entry("account", "amountSat")
  WHERE state IN ('confirmed', 'buried') AND entry."amountSat" <> 0
$$;

CREATE FUNCTION "channel"."post_treasury"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (NEW."state" IN ('confirmed', 'buried')) = (OLD."state" IN ('confirmed', 'buried')) THEN RETURN NULL; END IF;
  WITH posted AS (
    INSERT INTO "channel"."book_posting" ("channelId", "txid", "version", "state", "reason")
    VALUES (NEW."channelId", NEW."txid", NEW."version", NEW."state", NEW."kind") RETURNING "id"
  )
  INSERT INTO "channel"."book_entry" ("postingId", "account", "amountSat")
  SELECT p."id", b."account", CASE WHEN NEW."state" IN ('confirmed', 'buried') THEN b."amountSat" ELSE -b."amountSat" END
  FROM posted p
  CROSS JOIN LATERAL "channel"."treasury_balances"(NEW."kind", 'confirmed', NEW."inputSat", NEW."feeSat") b;
  RETURN NULL;
END $$;

-- Never inserted as mined: a transaction is stored before it is sent.
CREATE TRIGGER "post_treasury" AFTER UPDATE OF "state" ON "channel"."treasury_transaction"
  FOR EACH ROW EXECUTE FUNCTION "channel"."post_treasury"();

CREATE FUNCTION "channel"."refuse_mined"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'treasury transaction %: stored as %', NEW."txid", NEW."state" USING ERRCODE = 'SF010';
END $$;

CREATE TRIGGER "refuse_mined" BEFORE INSERT ON "channel"."treasury_transaction"
  FOR EACH ROW WHEN (NEW."state" IN ('confirmed', 'buried')) EXECUTE FUNCTION "channel"."refuse_mined"();

-- Entries without a channel belong to the fleet as a whole.
CREATE OR REPLACE VIEW "channel"."book_line" AS
SELECT p."id" AS "postingId", p."at", p."channelId", p."version", p."state", p."reason",
  c."infoHash", c."nodeId", c."peerSubnet", e."account", e."amountSat", p."txid"
FROM "channel"."book_posting" p
JOIN "channel"."book_entry" e ON e."postingId" = p."id"
LEFT JOIN "channel"."channel" c ON c."id" = p."channelId";

-- ---------------------------------------------------------------- reports

-- As before, with what the treasury spent. Revenue is still the sum of all other accounts.
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
      CREATE OR REPLACE VIEW "channel".%I AS
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
        coalesce(sum("amount") FILTER (WHERE "measure" = 'restated'), 0)::bigint AS "restatedSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'sweep-fee'), 0)::bigint AS "sweepFeeSat",
        coalesce(sum("amount") FILTER (WHERE "measure" = 'spent'), 0)::bigint AS "spentSat"
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

-- ---------------------------------------------------------------- reconciliation

-- As before; a posting without a channel is no channel's first.
CREATE OR REPLACE FUNCTION "channel"."reconcile_rollups"()
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
    SELECT "channelId", 'channels', 1 FROM entry WHERE "channelId" IS NOT NULL GROUP BY "channelId"
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

-- The sum of the outputs of a transaction without witness. Null where the bytes are none.
CREATE FUNCTION "channel"."output_sum_sat"(raw BYTEA) RETURNS BIGINT LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  place INTEGER := 4;
  items INTEGER;
  size INTEGER;
  total BIGINT := 0;
  pass INTEGER;
BEGIN
  -- Inputs, then outputs.
  FOR pass IN 1..2 LOOP
    items := get_byte(raw, place);
    place := place + 1;
    IF items = 253 THEN
      items := get_byte(raw, place) + 256 * get_byte(raw, place + 1);
      place := place + 2;
    ELSIF items > 253 THEN RETURN NULL;
    END IF;
    FOR item IN 1..items LOOP
      IF pass = 2 THEN total := total + "channel"."read_amount_sat"(raw, place); END IF;
      place := place + CASE WHEN pass = 1 THEN 36 ELSE 8 END;
      size := get_byte(raw, place);
      IF size >= 253 THEN RETURN NULL; END IF;
      place := place + 1 + size + CASE WHEN pass = 1 THEN 4 ELSE 0 END;
    END LOOP;
  END LOOP;
  RETURN CASE WHEN place + 4 = length(raw) THEN total END;
EXCEPTION WHEN array_subscript_error OR numeric_value_out_of_range THEN RETURN NULL;
END $$;

-- Every difference between the books, the treasury's transactions and coins, and the chain; no row when all agree.
CREATE FUNCTION "channel"."reconcile_treasury"(grace INTERVAL DEFAULT '60 seconds')
RETURNS TABLE (
  "code" TEXT, "channelId" TEXT, "infoHash" TEXT, "account" TEXT, "expectedSat" BIGINT, "actualSat" BIGINT, "detail" TEXT
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH one AS MATERIALIZED (
    SELECT t.*, b."txid" AS "known", b."raw" AS "chainRaw", b."state" AS "chainState", b."confirmedHeight",
      t."state" IN ('confirmed', 'buried') AS "booked",
      coalesce(b."state" IN ('confirmed', 'buried'), false) AS "mined",
      t."updatedAt" < now() - grace AND coalesce(b."updatedAt" < now() - grace, true) AS "ripe"
    FROM "channel"."treasury_transaction" t LEFT JOIN "chain"."broadcast" b ON b."txid" = t."txid"
  ), booked AS MATERIALIZED (
    SELECT p."txid", e."account", sum(e."amountSat")::bigint AS "amountSat"
    FROM "channel"."book_posting" p JOIN "channel"."book_entry" e ON e."postingId" = p."id"
    WHERE p."txid" IS NOT NULL GROUP BY 1, 2
  ), due AS (
    SELECT t."txid", b."account", b."amountSat"
    FROM one t CROSS JOIN LATERAL "channel"."treasury_balances"(t."kind", t."state", t."inputSat", t."feeSat") b
  )
  SELECT 'books-not-treasury', t."channelId"::text, NULL, coalesce(d."account", b."account"),
    coalesce(d."amountSat", 0), coalesce(b."amountSat", 0), coalesce(d."txid", b."txid")
  FROM due d FULL JOIN booked b ON b."txid" = d."txid" AND b."account" = d."account"
  LEFT JOIN one t ON t."txid" = coalesce(d."txid", b."txid")
  WHERE coalesce(d."amountSat", 0) <> coalesce(b."amountSat", 0)
UNION ALL
  SELECT 'treasury-not-handed-over', "channelId"::text, NULL, NULL, "inputSat" - "feeSat", 0, "txid"
  FROM one WHERE "known" IS NULL AND "ripe" AND "state" NOT IN ('replaced', 'void')
UNION ALL
  SELECT 'treasury-bytes-differ', "channelId"::text, NULL, NULL, NULL, NULL, "txid"
  FROM one WHERE "known" IS NOT NULL AND "chainRaw" IS DISTINCT FROM "raw"
UNION ALL
  -- The transaction's own outputs, and the coins that it spends, against what is booked.
  SELECT 'treasury-amount-differs', "channelId"::text, NULL, NULL, "channel"."output_sum_sat"("raw"), "inputSat" - "feeSat",
    "txid"
  FROM one WHERE "channel"."output_sum_sat"("raw") IS DISTINCT FROM "inputSat" - "feeSat"
UNION ALL
  SELECT 'treasury-amount-differs', t."channelId"::text, NULL, NULL, i."sumSat", t."inputSat", t."txid"
  FROM one t LEFT JOIN (
    SELECT i."spenderTxid", sum(k."valueSat")::bigint AS "sumSat"
    FROM "channel"."treasury_input" i
    JOIN "channel"."treasury_coin" k ON k."txid" = i."txid" AND k."vout" = i."vout" GROUP BY 1
  ) i ON i."spenderTxid" = t."txid"
  WHERE i."sumSat" IS DISTINCT FROM t."inputSat"
UNION ALL
  SELECT CASE WHEN "mined" THEN 'treasury-mined-not-booked' ELSE 'treasury-booked-not-mined' END, "channelId"::text, NULL,
    'spent', CASE WHEN "mined" THEN "feeSat" ELSE 0 END, CASE WHEN "booked" THEN "feeSat" ELSE 0 END, "txid"
  FROM one WHERE "ripe" AND "mined" <> "booked"
UNION ALL
  -- A coin that two living transactions spend, or that the living one has not locked.
  SELECT 'coin-twice', t."channelId"::text, NULL, NULL, NULL, k."valueSat", concat_ws(':', k."txid", k."vout")
  FROM one t JOIN "channel"."treasury_input" i ON i."spenderTxid" = t."txid"
  JOIN "channel"."treasury_coin" k ON k."txid" = i."txid" AND k."vout" = i."vout"
  WHERE t."state" NOT IN ('replaced', 'void', 'conflicted') AND k."lockedBy" IS DISTINCT FROM t."txid"
UNION ALL
  -- What lies on payout keys, coin by coin, is what the books hold.
  SELECT 'hot-balance-differs', NULL, NULL, 'spent', h."coinsSat", h."booksSat", NULL
  FROM (
    SELECT
      (SELECT coalesce(sum(CASE WHEN s."mined" THEN s."valueSat" ELSE 0 END)
        - sum(CASE WHEN s."spent" THEN s."valueSat" ELSE 0 END), 0)::bigint
        FROM "channel"."treasury_coin_state" s) AS "coinsSat",
      (SELECT coalesce(sum(e."amountSat"), 0)::bigint
        FROM "channel"."book_entry" e JOIN "channel"."book_posting" p ON p."id" = e."postingId"
        LEFT JOIN "channel"."channel" c ON c."id" = p."channelId"
        WHERE e."account" = 'spent' OR e."account" IN ('confirmed', 'buried') AND c."settlementTxid" IS NOT NULL)
        AS "booksSat"
  ) h WHERE h."coinsSat" <> h."booksSat"
UNION ALL
  SELECT 'treasury-of-nobody', NULL, NULL, NULL, NULL, NULL, b."txid"
  FROM "chain"."broadcast" b
  WHERE (b."label" LIKE 'child:%' OR b."label" LIKE 'treasury:%') AND NOT EXISTS (SELECT FROM one t WHERE t."txid" = b."txid")
$$;
