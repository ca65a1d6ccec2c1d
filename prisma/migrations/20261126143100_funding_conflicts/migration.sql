-- What else spends an input of a watched output's transaction: then only one of the two can be mined. The inputs are noted
-- when our node first has the transaction, so that a rival is recognised after it has pushed that transaction out.
ALTER TABLE "chain"."watched_output"
  ADD COLUMN "inputs" TEXT[] NOT NULL DEFAULT '{}',
  ADD COLUMN "conflictTxid" TEXT,
  ADD COLUMN "conflictHeight" INTEGER,
  ADD COLUMN "conflictHash" TEXT,
  ADD COLUMN "conflictSeenAt" TIMESTAMPTZ;

-- Every block is held against the outputs that are not in the chain yet; few at any time.
CREATE INDEX "watched_output_unconfirmed_idx" ON "chain"."watched_output"("txid") WHERE "fundingHeight" IS NULL;
CREATE INDEX "watched_output_conflictHeight_idx" ON "chain"."watched_output"("conflictHeight");
