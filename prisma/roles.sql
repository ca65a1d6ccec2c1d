-- Only the owner writes a table (one schema per owner). market-api reads channel and chain for its reports; nobody
-- else reads another's schema. :"name" is replaced by the role's real name.
GRANT USAGE ON SCHEMA chain TO :"chain", :"market";
GRANT USAGE ON SCHEMA channel TO :"channel", :"market";
GRANT USAGE ON SCHEMA market TO :"market";

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA chain TO :"chain";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA chain TO :"chain";

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA channel TO :"channel";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA channel TO :"channel";
-- The story of a channel is written once.
REVOKE UPDATE, DELETE ON channel.channel_event FROM :"channel";
-- The books are written by triggers, with their owner's rights; nobody else posts. channel.reconcile() reads the chain's
-- tables in the same way.
REVOKE INSERT, UPDATE, DELETE ON channel.book_posting, channel.book_entry FROM :"channel";
-- The roll-ups and running balances are written by the trigger and by channel.roll_up_books().
REVOKE INSERT, UPDATE, DELETE ON channel.book_unrolled, channel.book_rollup, channel.book_running, channel.book_torrent
  FROM :"channel";

REVOKE INSERT, UPDATE, DELETE ON channel.book_hours FROM :"channel";
-- What is past its time goes by functions that know what has to stay.
GRANT EXECUTE ON FUNCTION channel.archive_channels(INTERVAL, INTEGER), channel.forget_hours(INTERVAL, INTEGER) TO :"channel";

-- Coins and transactions of the treasury are in the books.
REVOKE DELETE ON channel.treasury_transaction, channel.treasury_coin FROM :"channel";
REVOKE UPDATE, DELETE ON channel.treasury_input FROM :"channel";
-- An address that was used stays used, and where earnings went is not to be rewritten.
REVOKE DELETE ON channel.treasury_address FROM :"channel";
REVOKE UPDATE, DELETE ON channel.treasury_destination FROM :"channel";

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA market TO :"market";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA market TO :"market";
REVOKE UPDATE, DELETE ON market.audit_entry FROM :"market";
REVOKE DELETE ON market.takedown FROM :"market";
GRANT EXECUTE ON FUNCTION market.forget_audit(INTERVAL, INTEGER) TO :"market";

GRANT SELECT ON ALL TABLES IN SCHEMA channel TO :"market";
GRANT SELECT ON ALL TABLES IN SCHEMA chain TO :"market";
