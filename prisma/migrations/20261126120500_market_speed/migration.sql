-- What lists need to stay fast with 100,000 torrents and a million channels: words worked out once per torrent instead of
-- once per row and search, and channels of one state or node in the order that lists show them.
ALTER TABLE "market"."torrent"
    ADD COLUMN "words" tsvector GENERATED ALWAYS AS ("market"."words"("name")) STORED;

DROP INDEX "market"."torrent_words_idx";
CREATE INDEX "torrent_words_idx" ON "market"."torrent" USING gin ("words");

CREATE INDEX "channel_state_createdAt_id_idx" ON "channel"."channel"("state", "createdAt", "id");
CREATE INDEX "channel_nodeId_createdAt_id_idx" ON "channel"."channel"("nodeId", "createdAt", "id");
