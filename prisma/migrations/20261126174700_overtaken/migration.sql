-- A transaction whose place another one has taken for good is not sent for ever: once what spends its input is buried, it has
-- been overtaken. Which block that hangs on is noted with it, so that it is sent again should that block go.

-- AlterTable
ALTER TABLE "chain"."broadcast" ADD COLUMN     "rivalHash" TEXT,
ADD COLUMN     "rivalHeight" INTEGER,
ADD COLUMN     "rivalTxid" TEXT;

ALTER TABLE "chain"."broadcast"
  ADD CONSTRAINT "broadcast_rival" CHECK (("rivalHeight" IS NULL) = ("rivalHash" IS NULL)
    AND ("state" <> 'overtaken' OR "rivalHash" IS NOT NULL));

-- What is over is what retention looks through.
DROP INDEX "chain"."broadcast_done";
CREATE INDEX "broadcast_done" ON "chain"."broadcast" ("updatedAt") WHERE "state" IN ('buried', 'overtaken', 'withdrawn');
