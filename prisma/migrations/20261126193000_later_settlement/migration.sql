-- A database that was brought back from a copy may know less than what was paid. Where the settlement of a later payment
-- stands on the chain already, it is what settles the channel: k rises to it in the update that stores it, once. Until
-- then, and after, a frozen k stands.
CREATE OR REPLACE FUNCTION "channel"."guard_channel"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."k" < OLD."k" THEN
    RAISE EXCEPTION 'channel %: k may not fall from % to %', OLD."id", OLD."k", NEW."k" USING ERRCODE = 'SF001';
  END IF;
  IF OLD."frozenK" IS NOT NULL AND NEW."frozenK" IS DISTINCT FROM OLD."frozenK"
     AND (NEW."frozenK" IS NULL OR OLD."settlementTxid" IS NOT NULL OR NEW."settlementTxid" IS NULL) THEN
    RAISE EXCEPTION 'channel %: k is frozen at %', OLD."id", OLD."frozenK" USING ERRCODE = 'SF002';
  END IF;
  IF OLD."settlementTxid" IS NOT NULL AND NEW."settlementTxid" IS DISTINCT FROM OLD."settlementTxid" THEN
    RAISE EXCEPTION 'channel %: settlement % is stored', OLD."id", OLD."settlementTxid" USING ERRCODE = 'SF003';
  END IF;
  IF (NEW."priceSat", NEW."lockUnits", NEW."settlementFeeSat", NEW."termsIndex", NEW."keyEpoch", NEW."keyIndex",
      NEW."sellerPublicKey", NEW."sellerKeyHash", NEW."pieceCount", NEW."pieceLength", NEW."infoHash")
     IS DISTINCT FROM
     (OLD."priceSat", OLD."lockUnits", OLD."settlementFeeSat", OLD."termsIndex", OLD."keyEpoch", OLD."keyIndex",
      OLD."sellerPublicKey", OLD."sellerKeyHash", OLD."pieceCount", OLD."pieceLength", OLD."infoHash") THEN
    RAISE EXCEPTION 'channel %: the accepted quote never changes', OLD."id" USING ERRCODE = 'SF004';
  END IF;
  RETURN NEW;
END $$;
