-- The tower's acknowledgement carries the settlement that it holds: a fleet that is back from an old copy learns from it what
-- was paid. And a checkpoint says whether it was made to be the last one: an acknowledgement of an earlier one, which the
-- copy may have brought back with it, is no answer to the last.

-- AlterTable
ALTER TABLE "chain"."dated_order" ADD COLUMN "towerRaw" BYTEA;

-- AlterTable
ALTER TABLE "channel"."checkpoint" ADD COLUMN "isLast" BOOLEAN NOT NULL DEFAULT false;
