-- What each torrent earned over all time, copied from the books' roll-ups every few seconds, only to sort lists by it: the
-- figures that are shown are read from the roll-ups themselves.
CREATE TABLE "market"."torrent_earning" (
    "infoHash" TEXT NOT NULL,
    "revenueSat" BIGINT NOT NULL,
    "collectableSat" BIGINT NOT NULL,
    "buriedSat" BIGINT NOT NULL,
    "lostSat" BIGINT NOT NULL,
    "channels" BIGINT NOT NULL,

    CONSTRAINT "torrent_earning_pkey" PRIMARY KEY ("infoHash")
);

CREATE INDEX "torrent_earning_revenue_idx" ON "market"."torrent_earning"("revenueSat", "infoHash");
CREATE INDEX "torrent_earning_collectable_idx" ON "market"."torrent_earning"("collectableSat", "infoHash");
CREATE INDEX "torrent_earning_buried_idx" ON "market"."torrent_earning"("buriedSat", "infoHash");
CREATE INDEX "torrent_earning_lost_idx" ON "market"."torrent_earning"("lostSat", "infoHash");
CREATE INDEX "torrent_earning_channels_idx" ON "market"."torrent_earning"("channels", "infoHash");
