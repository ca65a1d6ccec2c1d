-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "chain";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "channel";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "market";

-- CreateTable
CREATE TABLE "chain"."block" (
    "height" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "previousHash" TEXT NOT NULL,
    "medianTimePast" INTEGER NOT NULL,

    CONSTRAINT "block_pkey" PRIMARY KEY ("height")
);

-- CreateTable
CREATE TABLE "chain"."watched_output" (
    "txid" TEXT NOT NULL,
    "vout" INTEGER NOT NULL,
    "script" BYTEA NOT NULL,
    "label" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'unseen',
    "valueSat" BIGINT,
    "fundingHeight" INTEGER,
    "fundingHash" TEXT,
    "fundingMtp" INTEGER,
    "spendTxid" TEXT,
    "spendHeight" INTEGER,
    "spendHash" TEXT,
    "version" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "watched_output_pkey" PRIMARY KEY ("txid","vout")
);

-- CreateTable
CREATE TABLE "chain"."broadcast" (
    "txid" TEXT NOT NULL,
    "raw" BYTEA NOT NULL,
    "label" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'stored',
    "rejectReason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "confirmedHeight" INTEGER,
    "confirmedHash" TEXT,
    "confirmations" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 0,
    "nextAttemptAt" TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "broadcast_pkey" PRIMARY KEY ("txid")
);

-- CreateTable
CREATE TABLE "chain"."outbox" (
    "id" BIGSERIAL NOT NULL,
    "subject" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sentAt" TIMESTAMPTZ,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel"."key_epoch" (
    "epoch" INTEGER NOT NULL,
    "seedId" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "key_epoch_pkey" PRIMARY KEY ("epoch")
);

-- CreateTable
CREATE TABLE "channel"."contract_key" (
    "epoch" INTEGER NOT NULL,
    "index" INTEGER NOT NULL,
    "publicKey" BYTEA NOT NULL,
    "payoutKeyHash" BYTEA NOT NULL,
    "takenAt" TIMESTAMPTZ,

    CONSTRAINT "contract_key_pkey" PRIMARY KEY ("epoch","index")
);

-- CreateTable
CREATE TABLE "channel"."channel" (
    "id" UUID NOT NULL,
    "joinId" TEXT NOT NULL,
    "nodeId" TEXT NOT NULL,
    "infoHash" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "stateReason" TEXT NOT NULL,
    "stateEnteredAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "version" INTEGER NOT NULL DEFAULT 0,
    "nextActionAt" TIMESTAMPTZ,
    "deadlineMtp" INTEGER,
    "termsIndex" INTEGER NOT NULL,
    "priceSat" BIGINT NOT NULL,
    "lockUnits" INTEGER NOT NULL,
    "settlementFeeSat" BIGINT NOT NULL,
    "minContractFeePerKbSat" BIGINT NOT NULL,
    "maxSellers" BIGINT NOT NULL,
    "buyerMaxPriceSat" BIGINT NOT NULL,
    "buyerMaxLockUnits" INTEGER NOT NULL,
    "buyerMaxContractFeePerKbSat" BIGINT NOT NULL,
    "pieceCount" INTEGER NOT NULL,
    "pieceLength" INTEGER NOT NULL,
    "totalBytes" BIGINT NOT NULL,
    "keyEpoch" INTEGER NOT NULL,
    "keyIndex" INTEGER NOT NULL,
    "sellerPublicKey" BYTEA NOT NULL,
    "sellerKeyHash" BYTEA NOT NULL,
    "peerAddress" TEXT NOT NULL,
    "peerSubnet" TEXT NOT NULL,
    "peerClient" TEXT NOT NULL,
    "buyerPublicKey" BYTEA,
    "buyerKeyHash" BYTEA,
    "fundingValueSat" BIGINT,
    "fundingTxid" TEXT,
    "fundingVout" INTEGER,
    "outpointClaimed" BOOLEAN NOT NULL DEFAULT false,
    "fundingSeenAt" TIMESTAMPTZ,
    "fundingHeight" INTEGER,
    "fundingConfirmations" INTEGER NOT NULL DEFAULT 0,
    "allowanceBytes" BIGINT,
    "verdict" JSONB,
    "kMin" BIGINT,
    "kCap" BIGINT,
    "k" BIGINT NOT NULL DEFAULT 0,
    "signature" BYTEA,
    "frozenK" BIGINT,
    "closeReason" TEXT,
    "settlementTxid" TEXT,
    "settlementRaw" BYTEA,
    "settlementHeight" INTEGER,
    "settlementConfirmations" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "channel_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel"."channel_event" (
    "id" BIGSERIAL NOT NULL,
    "channelId" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "data" JSONB NOT NULL DEFAULT '{}',
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "channel_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel"."payment_watermark" (
    "partition" INTEGER NOT NULL,
    "streamEpoch" TEXT NOT NULL,
    "committedSeq" BIGINT NOT NULL,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payment_watermark_pkey" PRIMARY KEY ("partition")
);

-- CreateTable
CREATE TABLE "channel"."parked_payment" (
    "id" BIGSERIAL NOT NULL,
    "nodeId" TEXT NOT NULL,
    "channelId" TEXT NOT NULL,
    "k" BIGINT NOT NULL,
    "signature" BYTEA NOT NULL,
    "code" TEXT NOT NULL,
    "streamSeq" BIGINT NOT NULL,
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "parked_payment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel"."quarantined_node" (
    "nodeId" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "quarantined_node_pkey" PRIMARY KEY ("nodeId")
);

-- CreateTable
CREATE TABLE "channel"."outbox" (
    "id" BIGSERIAL NOT NULL,
    "subject" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sentAt" TIMESTAMPTZ,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "market"."torrent" (
    "infoHash" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "pieceLength" INTEGER NOT NULL,
    "pieceCount" INTEGER NOT NULL,
    "totalBytes" BIGINT NOT NULL,
    "private" BOOLEAN NOT NULL DEFAULT false,
    "metainfo" BYTEA NOT NULL,
    "contentPath" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'active',
    "labels" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "torrent_pkey" PRIMARY KEY ("infoHash")
);

-- CreateTable
CREATE TABLE "market"."offer" (
    "infoHash" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "priceSat" BIGINT,
    "lockUnits" INTEGER,
    "settlementFeeSat" BIGINT,
    "minContractFeePerKbSat" BIGINT,
    "maxSellers" INTEGER,
    "createdBy" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "offer_pkey" PRIMARY KEY ("infoHash","version")
);

-- CreateTable
CREATE TABLE "market"."node" (
    "id" TEXT NOT NULL,
    "peerAddress" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'up',
    "version" TEXT NOT NULL,
    "registeredAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSeenAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stats" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "node_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "market"."seeding" (
    "nodeId" TEXT NOT NULL,
    "infoHash" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "detail" TEXT NOT NULL DEFAULT '',
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "seeding_pkey" PRIMARY KEY ("nodeId","infoHash")
);

-- CreateTable
CREATE TABLE "market"."api_key" (
    "id" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "name" TEXT NOT NULL,
    "scopes" TEXT[],
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revokedAt" TIMESTAMPTZ,

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "market"."audit_entry" (
    "id" BIGSERIAL NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "data" JSONB NOT NULL DEFAULT '{}',
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "watched_output_state_idx" ON "chain"."watched_output"("state");

-- CreateIndex
CREATE INDEX "broadcast_state_nextAttemptAt_idx" ON "chain"."broadcast"("state", "nextAttemptAt");

-- CreateIndex
CREATE INDEX "outbox_sentAt_id_idx" ON "chain"."outbox"("sentAt", "id");

-- CreateIndex
CREATE UNIQUE INDEX "contract_key_publicKey_key" ON "channel"."contract_key"("publicKey");

-- CreateIndex
CREATE INDEX "contract_key_takenAt_idx" ON "channel"."contract_key"("takenAt");

-- CreateIndex
CREATE UNIQUE INDEX "channel_joinId_key" ON "channel"."channel"("joinId");

-- CreateIndex
CREATE INDEX "channel_state_nextActionAt_idx" ON "channel"."channel"("state", "nextActionAt");

-- CreateIndex
CREATE INDEX "channel_nextActionAt_idx" ON "channel"."channel"("nextActionAt");

-- CreateIndex
CREATE INDEX "channel_infoHash_createdAt_idx" ON "channel"."channel"("infoHash", "createdAt");

-- CreateIndex
CREATE INDEX "channel_createdAt_id_idx" ON "channel"."channel"("createdAt", "id");

-- CreateIndex
CREATE INDEX "channel_peerSubnet_infoHash_idx" ON "channel"."channel"("peerSubnet", "infoHash");

-- CreateIndex
CREATE INDEX "channel_nodeId_state_idx" ON "channel"."channel"("nodeId", "state");

-- CreateIndex
CREATE UNIQUE INDEX "channel_keyEpoch_keyIndex_key" ON "channel"."channel"("keyEpoch", "keyIndex");

-- CreateIndex
CREATE UNIQUE INDEX "channel_event_channelId_version_key" ON "channel"."channel_event"("channelId", "version");

-- CreateIndex
CREATE INDEX "parked_payment_nodeId_at_idx" ON "channel"."parked_payment"("nodeId", "at");

-- CreateIndex
CREATE INDEX "outbox_sentAt_id_idx" ON "channel"."outbox"("sentAt", "id");

-- CreateIndex
CREATE INDEX "torrent_createdAt_infoHash_idx" ON "market"."torrent"("createdAt", "infoHash");

-- CreateIndex
CREATE INDEX "seeding_infoHash_idx" ON "market"."seeding"("infoHash");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_hash_key" ON "market"."api_key"("hash");

-- CreateIndex
CREATE INDEX "audit_entry_at_idx" ON "market"."audit_entry"("at");

-- AddForeignKey
ALTER TABLE "channel"."channel_event" ADD CONSTRAINT "channel_event_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "channel"."channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "market"."offer" ADD CONSTRAINT "offer_infoHash_fkey" FOREIGN KEY ("infoHash") REFERENCES "market"."torrent"("infoHash") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "market"."seeding" ADD CONSTRAINT "seeding_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "market"."node"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "market"."seeding" ADD CONSTRAINT "seeding_infoHash_fkey" FOREIGN KEY ("infoHash") REFERENCES "market"."torrent"("infoHash") ON DELETE RESTRICT ON UPDATE CASCADE;
