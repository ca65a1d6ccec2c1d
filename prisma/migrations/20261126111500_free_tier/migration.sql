-- What an operator lets nodes give away of a torrent, per node and day: both limits, or nothing is free.
ALTER TABLE "market"."offer"
    ADD COLUMN "freeBytesPerDay" BIGINT,
    ADD COLUMN "freeBytesPerPeerDay" BIGINT,
    ADD CONSTRAINT "offer_free_tier" CHECK (
        ("freeBytesPerDay" IS NULL) = ("freeBytesPerPeerDay" IS NULL)
        AND "freeBytesPerPeerDay" > 0
        AND "freeBytesPerPeerDay" <= "freeBytesPerDay"
    );
