-- The settlement tower. Settlements are signed while a sale runs and filed as dated orders, here and with a chain-watcher
-- elsewhere, which sends them when the fleet does not. What reaches the chain may then be an earlier payment than the last
-- one: the difference is booked as lost, in the same posting that books the settlement.

-- CreateTable
CREATE TABLE "chain"."dated_order" (
    "id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "txid" TEXT NOT NULL,
    "raw" BYTEA NOT NULL,
    "label" TEXT NOT NULL,
    "outputTxid" TEXT NOT NULL,
    "outputVout" INTEGER NOT NULL,
    "quietFromMtp" INTEGER NOT NULL,
    "towerFromMtp" INTEGER NOT NULL,
    "fleetFromMtp" INTEGER NOT NULL,
    "towerAgainFromMtp" INTEGER NOT NULL,
    "openFromMtp" INTEGER NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "sentTxid" TEXT,
    "sentRaw" BYTEA,
    "towerVersion" INTEGER,
    "towerTxid" TEXT,
    "towerState" TEXT,
    "towerSentTxid" TEXT,
    "towerSentRaw" BYTEA,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dated_order_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel"."checkpoint" (
    "channelId" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "k" BIGINT NOT NULL,
    "txid" TEXT NOT NULL,
    "raw" BYTEA NOT NULL,
    "schedule" JSONB NOT NULL,
    "filedAt" TIMESTAMPTZ,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "checkpoint_pkey" PRIMARY KEY ("channelId","version")
);

-- AlterTable
ALTER TABLE "channel"."channel" ADD COLUMN "settledK" BIGINT;

-- CreateIndex
CREATE INDEX "dated_order_state_towerFromMtp_idx" ON "chain"."dated_order"("state", "towerFromMtp");

-- AddForeignKey
ALTER TABLE "channel"."checkpoint" ADD CONSTRAINT "checkpoint_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "channel"."channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "chain"."dated_order"
  ADD CONSTRAINT "dated_order_state" CHECK ("state" IN ('waiting', 'cancelled', 'fired', 'found')),
  ADD CONSTRAINT "dated_order_sent" CHECK (("state" IN ('fired', 'found')) = ("sentTxid" IS NOT NULL AND "sentRaw" IS NOT NULL)),
  ADD CONSTRAINT "dated_order_schedule" CHECK ("quietFromMtp" <= "towerFromMtp" AND "towerFromMtp" <= "fleetFromMtp"
    AND "fleetFromMtp" <= "towerAgainFromMtp" AND "towerAgainFromMtp" <= "openFromMtp");

-- ---------------------------------------------------------------- rules that no program may break

-- An order only moves on: to higher versions while it waits, and once it was sent not at all.
CREATE FUNCTION "chain"."guard_order"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."version" < OLD."version" OR (OLD."state" IN ('fired', 'found')
      AND (NEW."state", NEW."version", NEW."txid", NEW."sentTxid")
        IS DISTINCT FROM (OLD."state", OLD."version", OLD."txid", OLD."sentTxid"))
    OR (NEW."version" = OLD."version" AND NEW."txid" <> OLD."txid") THEN
    RAISE EXCEPTION 'order %: version % is %', OLD."id", OLD."version", OLD."state" USING ERRCODE = 'SF011';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "guard_order" BEFORE UPDATE ON "chain"."dated_order"
  FOR EACH ROW EXECUTE FUNCTION "chain"."guard_order"();

-- What is signed is written down once.
CREATE FUNCTION "channel"."guard_checkpoint"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW."k", NEW."txid", NEW."raw") IS DISTINCT FROM (OLD."k", OLD."txid", OLD."raw") THEN
    RAISE EXCEPTION 'checkpoint % of channel %: it is signed and stored', OLD."version", OLD."channelId"
      USING ERRCODE = 'SF012';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "guard_checkpoint" BEFORE UPDATE ON "channel"."checkpoint"
  FOR EACH ROW EXECUTE FUNCTION "channel"."guard_checkpoint"();

-- A payment below the last one is settled only together with the settlement that says so.
ALTER TABLE "channel"."channel"
  ADD CONSTRAINT "channel_settled_k" CHECK ("settledK" IS NULL OR (
    "settlementTxid" IS NOT NULL AND "frozenK" IS NOT NULL AND "settledK" < "frozenK"
    AND "settledK" * "priceSat" > 546 + "settlementFeeSat"));

CREATE FUNCTION "channel"."guard_settled_k"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'channel %: settlement % is stored', OLD."id", OLD."settlementTxid" USING ERRCODE = 'SF003';
END $$;

CREATE TRIGGER "guard_settled_k" BEFORE UPDATE OF "settledK" ON "channel"."channel"
  FOR EACH ROW WHEN (OLD."settlementTxid" IS NOT NULL AND NEW."settledK" IS DISTINCT FROM OLD."settledK")
  EXECUTE FUNCTION "channel"."guard_settled_k"();

-- ---------------------------------------------------------------- books and coins

-- As before, with what an earlier payment's settlement leaves behind: it is lost.
CREATE FUNCTION "channel"."book_balances"(place TEXT, k BIGINT, settled_k BIGINT, price_sat BIGINT, fee_sat BIGINT)
RETURNS TABLE ("account" TEXT, "amountSat" BIGINT) LANGUAGE sql IMMUTABLE AS $$
  SELECT entry."account", sum(entry."amountSat")::bigint
  FROM (
    SELECT b."account", b."amountSat"
    FROM "channel"."book_balances"(place, coalesce(settled_k, k), price_sat, fee_sat) b
    UNION ALL
    SELECT v."account", v."amountSat" FROM (VALUES
      ('lost', (k - settled_k) * price_sat), ('revenue', (settled_k - k) * price_sat)
    ) AS v("account", "amountSat") WHERE settled_k IS NOT NULL
  ) AS entry
  GROUP BY entry."account" HAVING sum(entry."amountSat") <> 0
$$;

-- As before; a settlement below the last payment moves what is lost where the channel's place changes, in one posting.
CREATE OR REPLACE FUNCTION "channel"."post_changed_channels"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
BEGIN
  WITH changed AS MATERIALIZED (
    SELECT n."id", n."version", n."state", n."stateReason", n."priceSat", n."settlementFeeSat", n."k", o."k" AS "oldK",
      n."settledK", o."settledK" AS "oldSettledK",
      "channel"."book_place"(n."state", n."k", n."frozenK", n."priceSat", n."settlementFeeSat") AS "place",
      "channel"."book_place"(o."state", o."k", o."frozenK", o."priceSat", o."settlementFeeSat") AS "oldPlace"
    FROM new_rows n JOIN old_rows o ON o."id" = n."id"
    WHERE n."k" * n."priceSat" > 0
      AND (n."k" <> o."k" OR n."state" <> o."state" OR n."frozenK" IS DISTINCT FROM o."frozenK"
        OR n."settledK" IS DISTINCT FROM o."settledK")
  ), entry AS MATERIALIZED (
    -- Nearly always a payment adds to where the ones before it are, and the fee stays where it is.
    SELECT c."id", v."account", v."amountSat"
    FROM changed c CROSS JOIN LATERAL (VALUES
      (c."place", (c."k" - c."oldK") * c."priceSat"), ('revenue', (c."oldK" - c."k") * c."priceSat")
    ) AS v("account", "amountSat")
    WHERE c."place" = c."oldPlace" AND c."k" <> c."oldK" AND c."settledK" IS NOT DISTINCT FROM c."oldSettledK"
    UNION ALL
    SELECT c."id", d."account", sum(d."amountSat")::bigint
    FROM changed c CROSS JOIN LATERAL (
      SELECT b."account", b."amountSat"
      FROM "channel"."book_balances"(c."place", c."k", c."settledK", c."priceSat", c."settlementFeeSat") b
      UNION ALL
      SELECT b."account", -b."amountSat"
      FROM "channel"."book_balances"(c."oldPlace", c."oldK", c."oldSettledK", c."priceSat", c."settlementFeeSat") b
    ) d
    WHERE c."place" <> c."oldPlace" OR c."settledK" IS DISTINCT FROM c."oldSettledK"
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

-- As before, by the payment that is settled.
CREATE OR REPLACE FUNCTION "channel"."note_settlement_coin"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO "channel"."treasury_coin" ("txid", "vout", "valueSat", "keyEpoch", "keyIndex", "source", "channelId")
  VALUES (NEW."settlementTxid", 1, coalesce(NEW."settledK", NEW."k") * NEW."priceSat" - NEW."settlementFeeSat",
    NEW."keyEpoch", NEW."keyIndex", 'settlement', NEW."id")
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

-- reconcile() compares by the same rule: only what it takes for due changes, everything else of it stays.
DO $$
DECLARE
  definition TEXT := pg_get_functiondef('"channel"."reconcile"(interval)'::regprocedure);
  before TEXT := 'c."k", c."priceSat", c."settlementFeeSat") b
    WHERE c."k" > 0';
BEGIN
  IF position(before IN definition) = 0 THEN
    RAISE EXCEPTION 'channel.reconcile() is not the one that this migration knows';
  END IF;
  EXECUTE replace(definition, before, 'c."k", c."settledK", c."priceSat", c."settlementFeeSat") b
    WHERE c."k" > 0');
END $$;

-- The same for a twin that was mined in a settlement's place.
CREATE OR REPLACE FUNCTION "channel"."note_twin_coin"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO "channel"."treasury_coin" ("txid", "vout", "valueSat", "keyEpoch", "keyIndex", "source", "channelId")
  VALUES (NEW."minedTxid", 1, coalesce(NEW."settledK", NEW."k") * NEW."priceSat" - NEW."settlementFeeSat",
    NEW."keyEpoch", NEW."keyIndex", 'settlement', NEW."id")
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
