-- Quality tiers, price rules, demand as nodes see it, and the operator's cost rates. Lists of torrents are sorted and
-- searched by the database, so what they are sorted by is a column with an index.

-- ---------------------------------------------------------------- quality tiers

CREATE TABLE "market"."tier" (
    "name" TEXT NOT NULL,
    "multiplierPerMille" INTEGER NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tier_pkey" PRIMARY KEY ("name"),
    CONSTRAINT "tier_multiplier" CHECK ("multiplierPerMille" BETWEEN 1 AND 1000000)
);

INSERT INTO "market"."tier" ("name", "multiplierPerMille", "description") VALUES
    ('standard', 1000, 'as the rule says'),
    ('high', 1500, 'better than most copies'),
    ('lossless', 2000, 'nothing was lost in encoding');

ALTER TABLE "market"."torrent"
    ADD COLUMN "tier" TEXT NOT NULL DEFAULT 'standard',
    ADD COLUMN "milliSatPerMib" BIGINT NOT NULL DEFAULT 0,
    ADD CONSTRAINT "torrent_tier_fkey" FOREIGN KEY ("tier") REFERENCES "market"."tier"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ---------------------------------------------------------------- price rules

-- A version keeps the rule it came from and the price it gave: what a torrent was sold for never changes afterwards.
ALTER TABLE "market"."offer"
    ADD COLUMN "priceMode" TEXT,
    ADD COLUMN "rateMilliSat" BIGINT,
    ADD COLUMN "tier" TEXT,
    ADD COLUMN "multiplierPerMille" INTEGER,
    ADD CONSTRAINT "offer_rule" CHECK (
        ("priceMode" IS NULL) = ("rateMilliSat" IS NULL)
        AND ("priceMode" IS NULL) = ("multiplierPerMille" IS NULL)
        AND "priceMode" IN ('piece', 'mib', 'formula')
        AND "rateMilliSat" > 0
    );

-- Torrents that were there before: the newest offer's price, or the formula of default clients in whole numbers.
UPDATE "market"."torrent" t
SET "milliSatPerMib" = least(div(p.sat * 1048576 * 1000, t."pieceLength"), 9223372036854775807)::bigint
FROM (
    SELECT x."infoHash", coalesce(
        (SELECT o."priceSat" FROM "market"."offer" o WHERE o."infoHash" = x."infoHash" ORDER BY o."version" DESC LIMIT 1),
        div(
            greatest(x."pieceLength"::numeric * x."pieceCount" * 2, 547 * 5242880::numeric) + 450 * 5242880::numeric
                + 1048576::numeric * x."pieceCount" - 1,
            1048576::numeric * x."pieceCount"
        ) + 1
    )::numeric AS sat
    FROM "market"."torrent" x
) p WHERE p."infoHash" = t."infoHash";

-- ---------------------------------------------------------------- lists of torrents

-- Words of a name: ASCII's signs separate them, in whatever way releases are named. Not [:alnum:], which knows only
-- ASCII's letters where the database has the locale C.
CREATE FUNCTION "market"."words"(name TEXT) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('simple'::regconfig, regexp_replace(name, '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g'))
$$;

CREATE INDEX "torrent_words_idx" ON "market"."torrent" USING gin ("market"."words"("name"));
CREATE INDEX "torrent_labels_idx" ON "market"."torrent" USING gin ("labels");
CREATE INDEX "torrent_tier_idx" ON "market"."torrent" ("tier", "createdAt", "infoHash");
CREATE INDEX "torrent_state_idx" ON "market"."torrent" ("state", "createdAt", "infoHash");
CREATE INDEX "torrent_name_idx" ON "market"."torrent" ((lower("name")) COLLATE "C", "infoHash");
CREATE INDEX "torrent_price_idx" ON "market"."torrent" ("milliSatPerMib", "infoHash");
CREATE INDEX "torrent_size_idx" ON "market"."torrent" ("totalBytes", "infoHash");

-- ---------------------------------------------------------------- demand, as nodes saw it

CREATE TABLE "market"."demand_day" (
    "infoHash" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "buyers" BIGINT NOT NULL DEFAULT 0,
    "buyersBelowPrice" BIGINT NOT NULL DEFAULT 0,
    "bidsUncounted" BIGINT NOT NULL DEFAULT 0,
    "speedTestsAnswered" BIGINT NOT NULL DEFAULT 0,
    "speedTestsRefused" BIGINT NOT NULL DEFAULT 0,
    "lostAfterSpeedTest" BIGINT NOT NULL DEFAULT 0,
    "joinsRefused" BIGINT NOT NULL DEFAULT 0,
    "joined" BIGINT NOT NULL DEFAULT 0,
    "won" BIGINT NOT NULL DEFAULT 0,
    "lostAfterJoin" BIGINT NOT NULL DEFAULT 0,
    "sentBytes" BIGINT NOT NULL DEFAULT 0,
    "sentMs" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "demand_day_pkey" PRIMARY KEY ("infoHash", "day"),
    CONSTRAINT "demand_day_infoHash_fkey" FOREIGN KEY ("infoHash") REFERENCES "market"."torrent"("infoHash") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE TABLE "market"."demand_bid" (
    "infoHash" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "priceSat" BIGINT NOT NULL,
    "bids" BIGINT NOT NULL,

    CONSTRAINT "demand_bid_pkey" PRIMARY KEY ("infoHash", "day", "priceSat"),
    CONSTRAINT "demand_bid_infoHash_fkey" FOREIGN KEY ("infoHash") REFERENCES "market"."torrent"("infoHash") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- The last report taken of each node, so that a repeated one is not counted twice.
CREATE TABLE "market"."demand_report" (
    "nodeId" TEXT NOT NULL,
    "run" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "demand_report_pkey" PRIMARY KEY ("nodeId"),
    CONSTRAINT "demand_report_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "market"."node"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- ---------------------------------------------------------------- the operator's settings

CREATE TABLE "market"."setting" (
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updatedBy" TEXT NOT NULL,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "setting_pkey" PRIMARY KEY ("key")
);
