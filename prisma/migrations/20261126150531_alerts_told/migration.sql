-- Alerts are worked out from what is wrong now. To tell webhooks of one when it begins and when it ends, what was found last
-- is kept, and each change of it.
CREATE TABLE "market"."alert" (
  "code" TEXT NOT NULL,
  -- Empty where several things are concerned.
  "subject" TEXT NOT NULL,
  "data" JSONB NOT NULL,
  "raisedAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "seenAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY ("code", "subject")
);
CREATE TABLE "market"."alert_change" (
  "id" BIGSERIAL PRIMARY KEY,
  "kind" TEXT NOT NULL,
  "code" TEXT NOT NULL,
  "data" JSONB NOT NULL,
  "at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  CONSTRAINT "alert_change_kind_check" CHECK ("kind" IN ('alert.raised', 'alert.cleared'))
);
CREATE INDEX "alert_change_at_idx" ON "market"."alert_change" ("at");
