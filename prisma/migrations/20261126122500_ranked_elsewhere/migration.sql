-- Torrents are ranked by market.torrent_earning; nothing walks along this index any more.
DROP INDEX "channel"."book_rollup_torrent_measure_idx";
