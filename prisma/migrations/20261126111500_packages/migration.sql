-- A transaction may pay for another one: then both are sent together, as a package.

ALTER TABLE "chain"."broadcast" ADD COLUMN "parentTxid" TEXT;

-- CreateIndex
CREATE INDEX "broadcast_parentTxid_idx" ON "chain"."broadcast"("parentTxid");
