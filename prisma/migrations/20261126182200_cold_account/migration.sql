-- Earnings may go to an account of the operator's wallet, each sweep to an address of its own: which ones were used has to
-- outlive every crash, and is known before anything is signed. And whoever changes where earnings go leaves a trace.

-- CreateTable
CREATE TABLE "channel"."treasury_address" (
    "wallet" TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    "address" TEXT NOT NULL,
    "txid" TEXT,
    "reservedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "treasury_address_pkey" PRIMARY KEY ("wallet","index")
);

-- CreateTable
CREATE TABLE "channel"."treasury_destination" (
    "id" SERIAL NOT NULL,
    "wallet" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "since" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "treasury_destination_pkey" PRIMARY KEY ("id")
);

ALTER TABLE "channel"."treasury_address" ADD CONSTRAINT "treasury_address_index" CHECK ("index" >= 0);
