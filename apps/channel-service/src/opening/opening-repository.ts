import type { JoinsWaiting } from '@seedfleet/policy';
import type { ChannelRow } from '../channels/channel-row.js';
import type { Database } from '../channels/database.js';
import { nextActionAt } from '../channels/transition.js';
import { CURRENT_EPOCH } from '../keys/key-epoch.js';
import type { OpenRequest } from './join-gate.js';

/*
 * The index of terms is a u32 on the wire and a signed column here: `| 0` keeps its 32 bits.
 */

/** How soon a joined channel is looked at again: its quote may go stale with any block. */
const JOINED_LOOK_SECONDS = 60;

/** Joins that wait for their funding, by where they come from. */
export async function joinsWaiting(
  database: Database,
  from: { readonly nodeId: string; readonly address: string; readonly subnet: string },
): Promise<Omit<JoinsWaiting, 'isLocal'>> {
  const rows = await database.$queryRaw<{ address: bigint; subnet: bigint; node: bigint }[]>`
    SELECT
      (SELECT count(*) FROM "channel"."channel"
        WHERE "peerSubnet" = ${from.subnet} AND "state" = 'joined' AND "peerAddress" = ${from.address}) AS "address",
      (SELECT count(*) FROM "channel"."channel"
        WHERE "peerSubnet" = ${from.subnet} AND "state" = 'joined') AS "subnet",
      (SELECT count(*) FROM "channel"."channel"
        WHERE "nodeId" = ${from.nodeId} AND "state" = 'joined') AS "node"`;
  const row = rows[0];
  return { address: Number(row?.address ?? 0), subnet: Number(row?.subnet ?? 0), node: Number(row?.node ?? 0) };
}

export async function isQuarantined(database: Database, nodeId: string): Promise<boolean> {
  const rows = await database.$queryRaw<{ there: number }[]>`
    SELECT 1 AS "there" FROM "channel"."quarantined_node" WHERE "nodeId" = ${nodeId}`;
  return rows.length > 0;
}

/**
 * Opens a channel: takes one contract key that nobody has taken, writes the channel with its immutable terms and the
 * first line of its story, in one statement. A key that was taken is never given back. Null when no key is left, and
 * after a restore until a new epoch has begun.
 * Throws a unique violation (23505) when the join is known already.
 */
export async function insertChannel(database: Database, id: string, request: OpenRequest): Promise<ChannelRow | null> {
  const { terms, buyerTerms, peer } = request;
  const rows = await database.$queryRaw<ChannelRow[]>`
    WITH contract_key AS (
      UPDATE "channel"."contract_key" SET "takenAt" = now()
      WHERE ("epoch", "index") = (
        SELECT "epoch", "index" FROM "channel"."contract_key"
        WHERE "takenAt" IS NULL AND "epoch" = ${CURRENT_EPOCH}
        ORDER BY "index" LIMIT 1 FOR UPDATE SKIP LOCKED
      )
      RETURNING "epoch", "index", "publicKey", "payoutKeyHash"
    ), opened AS (
      INSERT INTO "channel"."channel" (
        "id", "joinId", "nodeId", "infoHash", "state", "stateReason", "nextActionAt",
        "termsIndex", "priceSat", "lockUnits", "settlementFeeSat", "minContractFeePerKbSat", "maxSellers",
        "buyerMaxPriceSat", "buyerMaxLockUnits", "buyerMaxContractFeePerKbSat",
        "pieceCount", "pieceLength", "totalBytes",
        "keyEpoch", "keyIndex", "sellerPublicKey", "sellerKeyHash", "peerAddress", "peerSubnet", "peerClient")
      SELECT
        ${id}::uuid, ${request.joinId}, ${request.nodeId}, ${request.infoHash}, 'joined', 'join-accepted',
        ${nextActionAt(JOINED_LOOK_SECONDS)},
        ${request.termsIndex | 0}::int, ${terms.priceSat}::bigint, ${terms.lockUnits}::int, ${terms.settlementFeeSat}::bigint,
        ${clampToBigint(terms.minContractFeePerKbSat)}::bigint, ${BigInt(terms.maxSellers)}::bigint,
        ${clampToBigint(buyerTerms.maxPriceSat)}::bigint, ${buyerTerms.maxLockUnits}::int,
        ${clampToBigint(buyerTerms.maxContractFeePerKbSat)}::bigint,
        ${request.pieceCount}::int, ${request.pieceLength}::int, ${BigInt(request.totalBytes)}::bigint,
        "epoch", "index", "publicKey", "payoutKeyHash", ${peer.address}, ${peer.subnet}, ${peer.client}
      FROM contract_key
      RETURNING *
    ), story AS (
      INSERT INTO "channel"."channel_event" ("channelId", "version", "state", "reason", "data")
      SELECT "id", "version", "state", "stateReason",
        jsonb_build_object('nodeId', "nodeId", 'keyEpoch', "keyEpoch", 'keyIndex', "keyIndex")
      FROM opened
    )
    SELECT * FROM opened`;
  return rows[0] ?? null;
}

/** Buyers send any u64 as a limit; what exceeds the column says "no limit" just as well. */
function clampToBigint(value: bigint): bigint {
  const most = 0x7fff_ffff_ffff_ffffn;
  return value > most ? most : value;
}
