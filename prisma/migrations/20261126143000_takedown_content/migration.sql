-- What nodes fetched of a torrent that is taken down they always delete; an operator's own files only where the order says so.
ALTER TABLE "market"."takedown" ADD COLUMN "deleteContent" BOOLEAN NOT NULL DEFAULT false;
