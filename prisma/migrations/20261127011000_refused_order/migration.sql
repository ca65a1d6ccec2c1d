-- Who holds an order keeps it against one that pays less, and says so: what it has refused last, and why, with its own word
-- and with the tower's. A fleet that is back from an old copy knows from it that the tower has more than a late answer.
ALTER TABLE "chain"."dated_order"
  ADD COLUMN "refusedVersion" INTEGER,
  ADD COLUMN "refusedCode" TEXT,
  ADD COLUMN "towerRefusedVersion" INTEGER,
  ADD COLUMN "towerRefusedCode" TEXT,
  ADD CONSTRAINT "dated_order_refused" CHECK (("refusedVersion" IS NULL) = ("refusedCode" IS NULL)
    AND ("towerRefusedVersion" IS NULL) = ("towerRefusedCode" IS NULL));
