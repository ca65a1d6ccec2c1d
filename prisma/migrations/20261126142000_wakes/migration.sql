-- How often news of the chain has come in for a row. Whoever looks at a row notes the figure first: if it is another one
-- when what was seen is stored, there is younger news, and the row stays due.
ALTER TABLE "channel"."channel" ADD COLUMN "wakes" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "channel"."treasury_transaction" ADD COLUMN "wakes" INTEGER NOT NULL DEFAULT 0;
