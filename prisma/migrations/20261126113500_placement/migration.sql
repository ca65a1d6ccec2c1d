-- Which nodes sell which torrent is decided here and kept: a node is told its own torrents only, and what a silent node
-- had is placed elsewhere. Before this every node sold everything.

ALTER TABLE "market"."node"
  ADD COLUMN "zone" TEXT NOT NULL DEFAULT '',
  -- NULL: no limit of its own.
  ADD COLUMN "capacityBytes" BIGINT,
  ADD COLUMN "maxTorrents" INTEGER,
  ADD COLUMN "weight" INTEGER NOT NULL DEFAULT 1,
  -- Set by an operator who wants the node empty.
  ADD COLUMN "cordonedAt" TIMESTAMPTZ,
  ADD COLUMN "cordonReason" TEXT,
  ADD CONSTRAINT "node_weight_check" CHECK ("weight" BETWEEN 1 AND 1000);

ALTER TABLE "market"."torrent"
  -- The operator's own number of sellers; NULL follows demand.
  ADD COLUMN "replicas" INTEGER,
  -- What demand asks for, kept so that it changes with a gap between up and down.
  ADD COLUMN "demandReplicas" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "placementDue" BOOLEAN NOT NULL DEFAULT true,
  ADD COLUMN "placementShortage" TEXT,
  ADD CONSTRAINT "torrent_replicas_check" CHECK ("replicas" BETWEEN 0 AND 1000);

CREATE INDEX "torrent_placement_due_idx" ON "market"."torrent" ("infoHash") WHERE "placementDue";

CREATE TABLE "market"."placement" (
  "infoHash" TEXT NOT NULL REFERENCES "market"."torrent" ("infoHash") ON UPDATE CASCADE,
  "nodeId" TEXT NOT NULL REFERENCES "market"."node" ("id") ON UPDATE CASCADE,
  -- placed | leaving: sells on until what replaces it does
  "state" TEXT NOT NULL DEFAULT 'placed',
  "since" TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY ("infoHash", "nodeId"),
  CONSTRAINT "placement_state_check" CHECK ("state" IN ('placed', 'leaving'))
);
CREATE INDEX "placement_nodeId_infoHash_idx" ON "market"."placement" ("nodeId", "infoHash");
CREATE INDEX "placement_leaving_idx" ON "market"."placement" ("infoHash") WHERE "state" = 'leaving';

-- One row: for which fleet everything was last placed, and how far moving towards new nodes has come.
CREATE TABLE "market"."placement_round" (
  "id" INTEGER PRIMARY KEY DEFAULT 1 CHECK ("id" = 1),
  "fleet" TEXT NOT NULL DEFAULT '',
  "changedAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "balancedFleet" TEXT NOT NULL DEFAULT '',
  "balancedUpTo" TEXT NOT NULL DEFAULT '',
  "demandAt" TIMESTAMPTZ NOT NULL DEFAULT '-infinity'
);
INSERT INTO "market"."placement_round" ("id") VALUES (1);
