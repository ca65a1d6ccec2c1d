import type { Database } from '../channels/database.js';
import type { TreasuryCoin } from './treasury-row.js';

/** Coins looked at in one go: more than a sweep takes, and what is kept back. */
const MAX_COINS = 2_000;

export interface SpareTreasuryCoin extends TreasuryCoin {
  readonly ageMs: number;
}

/** Final coins that nothing spends, largest first. */
export function spareCoins(database: Database, finalConfirmations: number): Promise<SpareTreasuryCoin[]> {
  return database.$queryRaw<SpareTreasuryCoin[]>`
    SELECT k."txid", k."vout", k."valueSat", k."keyEpoch", k."keyIndex", coalesce(m."raw", CASE WHEN c."minedTxid" = k."txid" THEN c."minedRaw" ELSE c."settlementRaw" END) AS "raw",
      (extract(epoch FROM now() - k."createdAt") * 1000)::float8 AS "ageMs"
    FROM "channel"."treasury_coin_state" k
    LEFT JOIN "channel"."treasury_transaction" m ON k."source" <> 'settlement' AND m."txid" = k."txid"
    LEFT JOIN "channel"."channel" c ON k."source" = 'settlement' AND c."id" = k."channelId"
    WHERE k."lockedBy" IS NULL AND k."mined" AND k."confirmations" >= ${finalConfirmations}
    ORDER BY k."valueSat" DESC, k."txid", k."vout" LIMIT ${MAX_COINS}`;
}

export interface Holdings {
  /** What lies on payout keys by the books. */
  readonly hotSat: bigint;
  readonly sweptSat: bigint;
  /** Fees of children, sweeps and splits. */
  readonly feesSat: bigint;
  /** Booked in the last 24 hours. */
  readonly dayRevenueSat: bigint;
}

export async function readHoldings(database: Database): Promise<Holdings> {
  const rows = await database.$queryRaw<Holdings[]>`
    SELECT
      coalesce(sum("confirmedSat" + "buriedSat" + "spentSat"), 0)::bigint AS "hotSat",
      coalesce(sum("sweptSat"), 0)::bigint AS "sweptSat",
      coalesce(sum("childFeeSat" + "sweepFeeSat"), 0)::bigint AS "feesSat",
      (SELECT coalesce(sum("revenueSat"), 0)::bigint FROM "channel"."revenue_by_hour"
        WHERE "hour" > now() - interval '25 hours') AS "dayRevenueSat"
    FROM "channel"."revenue_total"`;
  return rows[0] ?? { hotSat: 0n, sweptSat: 0n, feesSat: 0n, dayRevenueSat: 0n };
}
