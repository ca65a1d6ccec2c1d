-- Two chain-watchers, of which one works. The lease says which, and the database refuses the writes of one that has lost
-- it: a process may stop for a minute between two of its statements, and know nothing of it.
CREATE TABLE "chain"."lease" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "holder" UUID NOT NULL,
    "token" BIGINT NOT NULL,
    "takenAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "expiresAt" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "lease_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "lease_is_one" CHECK ("id" = 1)
);

-- A key, so that a renewal, which leaves it as it is, waits for no writer, and a takeover waits for all of them.
CREATE UNIQUE INDEX "lease_holder_key" ON "chain"."lease" ("holder");

-- A session that says whose it is writes only while that one holds the lease. Others (the tower, an operator, a restore)
-- say nothing and are not asked.
CREATE FUNCTION "chain"."refuse_without_lease"() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine TEXT := current_setting('seedfleet.lease', true);
BEGIN
  IF mine IS NULL OR mine = '' THEN
    RETURN NULL;
  END IF;
  PERFORM 1 FROM "chain"."lease" l WHERE l."holder" = mine::uuid FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another chain-watcher has the lease' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "fenced" BEFORE INSERT OR UPDATE OR DELETE ON "chain"."block"
  FOR EACH STATEMENT EXECUTE FUNCTION "chain"."refuse_without_lease"();
CREATE TRIGGER "fenced" BEFORE INSERT OR UPDATE OR DELETE ON "chain"."watched_output"
  FOR EACH STATEMENT EXECUTE FUNCTION "chain"."refuse_without_lease"();
CREATE TRIGGER "fenced" BEFORE INSERT OR UPDATE OR DELETE ON "chain"."broadcast"
  FOR EACH STATEMENT EXECUTE FUNCTION "chain"."refuse_without_lease"();
CREATE TRIGGER "fenced" BEFORE INSERT OR UPDATE OR DELETE ON "chain"."dated_order"
  FOR EACH STATEMENT EXECUTE FUNCTION "chain"."refuse_without_lease"();
