import type { Network } from '@seedfleet/payment-channel';
import type { ChannelRow } from '../channels/channel-row.js';
import type { Database } from '../channels/database.js';
import type { Neighbours } from './funding-decision.js';
import { isLocalPeer } from './local-address.js';

/** Name of the lock under which exposure is read and reserved: one decision at a time, fleet-wide. */
const EXPOSURE_LOCK = 0x5eed_e490;

/** Waits for the lock; it ends with the transaction. */
export async function lockExposure(database: Database): Promise<void> {
  await database.$executeRaw`SELECT pg_advisory_xact_lock(${EXPOSURE_LOCK}::bigint)`;
}

interface Sums {
  subnetDayBytes: bigint;
  subnetTorrentPieces: bigint;
  nodeBytes: bigint;
  fleetBytes: bigint;
  subnetAbandonedDay: bigint;
  belowMin: bigint;
}

/** What the channels beside this one hold of the limits of its subnet, node and fleet. */
export async function readNeighbours(database: Database, row: ChannelRow, network: Network): Promise<Neighbours> {
  const rows = await database.$queryRaw<Sums[]>`
    WITH subnet AS (
      SELECT * FROM "channel"."channel"
      WHERE "peerSubnet" = ${row.peerSubnet} AND "id" <> ${row.id}::uuid AND "fundingTxid" IS NOT NULL
        AND "createdAt" > now() - interval '2 days'
    ), unconfirmed AS (
      SELECT * FROM "channel"."channel"
      WHERE "state" = 'funding-seen' AND "allowanceBytes" IS NOT NULL AND "id" <> ${row.id}::uuid
    )
    SELECT
      (SELECT coalesce(sum("allowanceBytes"), 0)::bigint FROM subnet
        WHERE "fundingSeenAt" > now() - interval '1 day') AS "subnetDayBytes",
      (SELECT coalesce(sum(ceil("allowanceBytes"::numeric / "pieceLength")), 0)::bigint FROM subnet
        WHERE "infoHash" = ${row.infoHash} AND "fundingSeenAt" > now() - interval '1 day') AS "subnetTorrentPieces",
      (SELECT coalesce(sum("allowanceBytes"), 0)::bigint FROM unconfirmed
        WHERE "nodeId" = ${row.nodeId}) AS "nodeBytes",
      (SELECT coalesce(sum("allowanceBytes"), 0)::bigint FROM unconfirmed) AS "fleetBytes",
      (SELECT count(*) FROM subnet WHERE "state" NOT IN ('joined', 'funding-seen', 'funded', 'refused')
        AND "k" < "kMin" AND "updatedAt" > now() - interval '1 day') AS "subnetAbandonedDay",
      (SELECT count(DISTINCT "fundingTxid") FROM subnet WHERE "infoHash" = ${row.infoHash}
        AND "state" IN ('funding-seen', 'funded') AND "verdict"->>'kind' IN ('allowance', 'all')
        AND "k" < "kMin" AND "fundingTxid" <> ${row.fundingTxid ?? ''}) AS "belowMin"`;
  const sums = rows[0];
  if (sums === undefined) throw new Error('an aggregate returned no row');
  return {
    exposure: {
      subnetDayBytes: Number(sums.subnetDayBytes),
      subnetTorrentPieces: Number(sums.subnetTorrentPieces),
      nodeBytes: Number(sums.nodeBytes),
      fleetBytes: Number(sums.fleetBytes),
      subnetAbandonedDay: Number(sums.subnetAbandonedDay),
      isLocal: isLocalPeer(row.peerAddress, network),
    },
    belowMinOfSubnetAndTorrent: Number(sums.belowMin),
  };
}
