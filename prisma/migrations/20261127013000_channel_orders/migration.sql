-- Lists of channels by deadline and by what was paid, which read all channels of their states to show fifty (3.6 s for 600,000
-- buried ones). None of these indexes has a column that a payment changes, not even in its predicate: payments stay updates within
-- their page (HOT), and what else moves a channel changes its state, which is indexed anyhow.

-- Any state by deadline. 2147483647: none yet, after all others.
CREATE INDEX "channel_state_deadline" ON "channel"."channel" ("state", (coalesce("deadlineMtp", 2147483647)), "id");

-- What is over by what was paid: once k is frozen it is frozenK (channel_frozen_is_k), unless an earlier payment was settled.
CREATE INDEX "channel_frozen_exposure"
  ON "channel"."channel" ("state", (coalesce("settledK", "frozenK") * "priceSat"), "id") WHERE "frozenK" IS NOT NULL;

-- What ended without a payment, and what has none frozen yet.
CREATE INDEX "channel_unfrozen" ON "channel"."channel" ("state", "id") WHERE "frozenK" IS NULL;
