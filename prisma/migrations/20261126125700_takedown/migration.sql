-- What the fleet must not seed, by infohash or by the hash of a file, with who said so and why. A row is never removed:
-- lifting one is noted in it.
CREATE TABLE "market"."takedown" (
  "id" BIGSERIAL PRIMARY KEY,
  -- Lowercase hex: infohash or SHA-1 (40), MD5 (32), SHA-256 of version 2 (64).
  "hash" TEXT NOT NULL,
  "why" TEXT NOT NULL,
  "by" TEXT NOT NULL,
  "at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "liftedWhy" TEXT,
  "liftedBy" TEXT,
  "liftedAt" TIMESTAMPTZ,
  CONSTRAINT "takedown_hash_check" CHECK ("hash" ~ '^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$'),
  CONSTRAINT "takedown_lifted_check"
    CHECK (("liftedAt" IS NULL) = ("liftedBy" IS NULL) AND ("liftedAt" IS NULL) = ("liftedWhy" IS NULL))
);
CREATE UNIQUE INDEX "takedown_in_force_idx" ON "market"."takedown" ("hash") WHERE "liftedAt" IS NULL;

-- Hashes of whole files that the .torrent file tells; NULL: not read yet, as in every row from before.
ALTER TABLE "market"."torrent" ADD COLUMN "fileHashes" TEXT[];
CREATE INDEX "torrent_file_hashes_idx" ON "market"."torrent" USING GIN ("fileHashes");
CREATE INDEX "torrent_file_hashes_unread_idx" ON "market"."torrent" ("infoHash") WHERE "fileHashes" IS NULL;
