-- A new price made a new version of the torrent's whole row, and with it an entry in each of its indexes, three of them of
-- words, labels and hashes. What lists are sorted by stands in a narrow table of its own now.
CREATE TABLE "market"."torrent_price" (
  "infoHash" TEXT PRIMARY KEY,
  -- Of a MiB, in thousandths of a satoshi, rounded down.
  "milliSatPerMib" BIGINT NOT NULL
) WITH (fillfactor = 80);
INSERT INTO "market"."torrent_price" SELECT "infoHash", "milliSatPerMib" FROM "market"."torrent";
CREATE INDEX "torrent_price_order_idx" ON "market"."torrent_price" ("milliSatPerMib", "infoHash");
ALTER TABLE "market"."torrent" DROP COLUMN "milliSatPerMib";
