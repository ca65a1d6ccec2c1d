-- What operators' access needs: keys that expire and tell when they were used, sessions of the dashboard, writes that can
-- be repeated, the fleet's events as one numbered log, and webhooks with everything that was or will be delivered. The
-- log and the deliveries stand here, so that Redis, which only keeps their time, may be lost.

ALTER TABLE "market"."api_key"
  ADD COLUMN "expiresAt" TIMESTAMPTZ,
  ADD COLUMN "lastUsedAt" TIMESTAMPTZ;

CREATE INDEX "audit_entry_actor_id_idx" ON "market"."audit_entry"("actor", "id");
CREATE INDEX "audit_entry_action_id_idx" ON "market"."audit_entry"("action", "id");
CREATE INDEX "audit_entry_target_id_idx" ON "market"."audit_entry"("target", "id");

CREATE TABLE "market"."session" (
    "id" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "keyId" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastUsedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endsAt" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "session_keyId_fkey" FOREIGN KEY ("keyId") REFERENCES "market"."api_key"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "session_hash_key" ON "market"."session"("hash");
CREATE INDEX "session_keyId_idx" ON "market"."session"("keyId");
CREATE INDEX "session_endsAt_idx" ON "market"."session"("endsAt");

CREATE TABLE "market"."sign_in_failure" (
    "address" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "lastAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lockedUntil" TIMESTAMPTZ,

    CONSTRAINT "sign_in_failure_pkey" PRIMARY KEY ("address")
);
CREATE INDEX "sign_in_failure_lastAt_idx" ON "market"."sign_in_failure"("lastAt");

CREATE TABLE "market"."repeatable_write" (
    "id" BYTEA NOT NULL,
    "requestHash" BYTEA NOT NULL,
    "answer" BYTEA,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "repeatable_write_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "repeatable_write_createdAt_idx" ON "market"."repeatable_write"("createdAt");

-- One writer at a time, so that ids become visible in their order and a reader may go on from the last it saw.
CREATE TABLE "market"."event" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "data" JSONB NOT NULL DEFAULT '{}',
    "at" TIMESTAMPTZ NOT NULL,
    "source" TEXT NOT NULL,
    "sourceId" BIGINT NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "event_source_sourceId_key" ON "market"."event"("source", "sourceId");
CREATE INDEX "event_at_idx" ON "market"."event"("at");

CREATE TABLE "market"."webhook" (
    "id" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "kinds" TEXT[],
    "secret" BYTEA NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'active',
    "description" TEXT NOT NULL DEFAULT '',
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "webhook_state" CHECK ("state" IN ('active', 'paused'))
);

CREATE TABLE "market"."webhook_delivery" (
    "id" BIGSERIAL NOT NULL,
    "webhookId" TEXT NOT NULL,
    "eventId" BIGINT,
    "kind" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "nextAttemptAt" TIMESTAMPTZ,
    "claimedUntil" TIMESTAMPTZ,
    "lastAttemptAt" TIMESTAMPTZ,
    "lastStatus" INTEGER,
    "lastProblem" TEXT,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "webhook_delivery_webhookId_fkey" FOREIGN KEY ("webhookId") REFERENCES "market"."webhook"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "webhook_delivery_state" CHECK ("state" IN ('pending', 'delivered', 'given-up'))
);
CREATE INDEX "webhook_delivery_webhookId_id_idx" ON "market"."webhook_delivery"("webhookId", "id");
CREATE INDEX "webhook_delivery_due_idx" ON "market"."webhook_delivery"("nextAttemptAt") WHERE "state" = 'pending';
CREATE INDEX "webhook_delivery_createdAt_idx" ON "market"."webhook_delivery"("createdAt");
