-- The best earners first, and torrents in trouble, each as a walk along an index however many torrents there are.
CREATE INDEX "book_rollup_torrent_measure_idx" ON "channel"."book_rollup"("measure", "amount", "key")
  WHERE "subject" = 'torrent' AND "period" = 'all';
CREATE INDEX "seeding_trouble_idx" ON "market"."seeding"("state", "updatedAt") WHERE "state" IN ('missing', 'corrupt', 'failed');
