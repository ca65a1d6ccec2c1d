-- Torrents that the fleet makes from files and folders: asked for here first, then hashed by whichever process has time,
-- so that one which dies half way is noticed and its work done by another.
CREATE TABLE "market"."making" (
  "id" BIGSERIAL PRIMARY KEY,
  "path" TEXT NOT NULL,
  "name" TEXT,
  "pieceLengthBytes" INTEGER,
  "private" BOOLEAN NOT NULL DEFAULT false,
  "labels" TEXT[] NOT NULL DEFAULT '{}',
  "tier" TEXT,
  "actor" TEXT NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'waiting',
  -- Of the last claim: NULL until one was made.
  "claimedUntil" TIMESTAMPTZ,
  "claims" INTEGER NOT NULL DEFAULT 0,
  "files" INTEGER NOT NULL DEFAULT 0,
  "totalBytes" BIGINT NOT NULL DEFAULT 0,
  "hashedBytes" BIGINT NOT NULL DEFAULT 0,
  "infoHash" TEXT,
  "problem" TEXT,
  "detail" TEXT NOT NULL DEFAULT '',
  "createdAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
  CONSTRAINT "making_state_check" CHECK ("state" IN ('waiting', 'hashing', 'adding', 'done', 'failed', 'cancelled')),
  CONSTRAINT "making_done_check" CHECK (("state" = 'done') = ("infoHash" IS NOT NULL)),
  CONSTRAINT "making_failed_check" CHECK (("state" = 'failed') = ("problem" IS NOT NULL))
);
CREATE INDEX "making_unfinished_idx" ON "market"."making" ("id") WHERE "state" IN ('waiting', 'hashing', 'adding');
