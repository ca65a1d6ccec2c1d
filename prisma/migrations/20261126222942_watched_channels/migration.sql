-- What alerts look for every few seconds: few channels of very many, each kind to be found without reading the others.
CREATE INDEX "channel_watched_deadline" ON "channel"."channel" ("deadlineMtp") WHERE "state" IN ('funding-seen', 'funded');
CREATE INDEX "channel_troubled" ON "channel"."channel" ("state", "stateEnteredAt")
  WHERE "state" IN ('settle-rejected', 'refund-seen', 'funding-missing', 'lost');
