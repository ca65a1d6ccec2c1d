-- What alerts look for every few seconds: few channels of very many, to be found without reading the others.
CREATE INDEX "channel_troubled" ON "channel"."channel" ("state", "stateEnteredAt")
  WHERE "state" IN ('settle-rejected', 'refund-seen', 'funding-missing', 'lost');
