import { Prisma, type PrismaClient } from '@seedfleet/persistence';
import type { Database } from '../channels/database.js';
import { nextActionAt } from '../channels/transition.js';
import type { NewTreasury, TreasuryCoin, TreasuryRow, TreasuryState } from './treasury-row.js';

/** How long whoever claimed a transaction has before another may. */
const CLAIM_SECONDS = 30;
/** States from which a coin is free for another transaction. */
const NOT_LIVING = Prisma.sql`('replaced', 'void', 'conflicted')`;

/** Labels that chain-watcher gives back with its news. */
export const childLabel = (channelId: string): string => `child:${channelId}`;
export const treasuryLabel = (kind: string): string => `treasury:${kind}`;
export const isTreasuryLabel = (label: string): boolean => label.startsWith('child:') || label.startsWith('treasury:');

/** News of these transactions: they are looked at now, final ones too, because a deep reorganisation undoes those. */
export async function wakeTreasury(database: Database, txids: readonly string[]): Promise<void> {
  await database.$executeRaw`
    UPDATE "channel"."treasury_transaction" SET "wakes" = "wakes" + 1, "nextActionAt" = least("nextActionAt", now())
    WHERE "txid" = ANY(${[...txids]}::text[])`;
}

/** When a transaction that was looked at is looked at again; one that was woken since it was read stays due. */
function nextUnlessWoken({ wakes }: TreasuryRow, inSeconds: number | null): Prisma.Sql {
  return Prisma.sql`CASE WHEN "wakes" <> ${wakes} THEN now() ELSE ${nextActionAt(inSeconds)} END`;
}

/** Takes the transactions whose time has come, so that no other worker takes them for a while. */
export function claimDueTreasury(database: Database, limit: number): Promise<TreasuryRow[]> {
  return database.$queryRaw<TreasuryRow[]>`
    WITH due AS MATERIALIZED (
      SELECT "txid" FROM "channel"."treasury_transaction" WHERE "nextActionAt" <= now()
      ORDER BY "nextActionAt" LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE "channel"."treasury_transaction" t SET "nextActionAt" = ${nextActionAt(CLAIM_SECONDS)}
    FROM due WHERE t."txid" = due."txid" RETURNING t.*`;
}

/** The child that is on its way for a channel's settlement, or was mined; null where there is none. */
export async function childOf(database: Database, channelId: string): Promise<TreasuryRow | null> {
  const rows = await database.$queryRaw<TreasuryRow[]>`
    SELECT * FROM "channel"."treasury_transaction"
    WHERE "channelId" = ${channelId}::uuid AND "kind" = 'child' AND "state" NOT IN ('replaced', 'void')
    ORDER BY "state" IN ('confirmed', 'buried') DESC, "createdAt" DESC LIMIT 1`;
  return rows[0] ?? null;
}

/** Coins that a transaction spends, in no order. */
export function coinsSpentBy(database: Database, txid: string): Promise<TreasuryCoin[]> {
  return database.$queryRaw<TreasuryCoin[]>`
    SELECT ${coinColumns} FROM "channel"."treasury_input" i
    JOIN "channel"."treasury_coin" k ON k."txid" = i."txid" AND k."vout" = i."vout" ${makers}
    WHERE i."spenderTxid" = ${txid}`;
}

/** Mined coins that no transaction spends, smallest first. */
export function freeCoins(database: Database, limit: number): Promise<TreasuryCoin[]> {
  return database.$queryRaw<TreasuryCoin[]>`
    SELECT ${coinColumns} FROM "channel"."treasury_coin_state" k ${makers}
    WHERE k."lockedBy" IS NULL AND k."mined" ORDER BY k."valueSat", k."txid", k."vout" LIMIT ${limit}`;
}

const coinColumns = Prisma.sql`k."txid", k."vout", k."valueSat", k."keyEpoch", k."keyIndex",
  coalesce(m."raw", CASE WHEN c."minedTxid" = k."txid" THEN c."minedRaw" ELSE c."settlementRaw" END) AS "raw"`;
const makers = Prisma.sql`
  LEFT JOIN "channel"."treasury_transaction" m ON k."source" <> 'settlement' AND m."txid" = k."txid"
  LEFT JOIN "channel"."channel" c ON k."source" = 'settlement' AND c."id" = k."channelId"`;

class CoinTaken extends Error {}

/**
 * Stores a signed transaction, its coins and its claim on what it spends: all or nothing. False when another living
 * transaction has one of its coins or its address, or the one that it replaces is in a block.
 */
export async function storeTreasury(prisma: PrismaClient, made: NewTreasury): Promise<boolean> {
  try {
    await prisma.$transaction(async (tx) => {
      if (made.replaces !== null) {
        const replaced = await tx.$executeRaw`
          UPDATE "channel"."treasury_transaction" SET "state" = 'replaced', "stateReason" = ${made.txid},
            "version" = "version" + 1, "updatedAt" = now()
          WHERE "txid" = ${made.replaces} AND "state" NOT IN ('confirmed', 'buried')`;
        if (replaced !== 1) throw new CoinTaken();
      }
      // The same order gives the same bytes: one that was given up lives again.
      await tx.$executeRaw`
        INSERT INTO "channel"."treasury_transaction" ("txid", "kind", "channelId", "raw", "inputSat", "feeSat",
          "virtualBytes", "destination", "reason", "replaces", "madeAtHeight")
        VALUES (${made.txid}, ${made.kind}, ${made.channelId}::uuid, ${made.raw}, ${made.inputSat}, ${made.feeSat},
          ${made.virtualBytes}, ${made.destination}, ${made.reason}, ${made.replaces}, ${made.madeAtHeight})
        ON CONFLICT ("txid") DO UPDATE SET "state" = 'stored', "stateReason" = 'stored', "nextActionAt" = now(),
          "version" = "treasury_transaction"."version" + 1, "updatedAt" = now()
        WHERE "treasury_transaction"."state" IN ('replaced', 'void')`;
      if (made.address !== null) {
        const { wallet, index } = made.address;
        const used = await tx.$executeRaw`
          UPDATE "channel"."treasury_address" SET "txid" = ${made.txid}
          WHERE "wallet" = ${wallet} AND "index" = ${index} AND ("txid" IS NULL OR "txid" = ${made.txid})`;
        if (used !== 1) throw new CoinTaken();
      }
      for (const { vout, valueSat, keyEpoch, keyIndex } of made.makes) {
        await tx.$executeRaw`
          INSERT INTO "channel"."treasury_coin" ("txid", "vout", "valueSat", "keyEpoch", "keyIndex", "source", "channelId")
          VALUES (${made.txid}, ${vout}, ${valueSat}, ${keyEpoch}, ${keyIndex}, ${made.kind}, ${made.channelId}::uuid)
          ON CONFLICT DO NOTHING`;
      }
      for (const { txid, vout } of made.spends) {
        const locked = await tx.$executeRaw`
          UPDATE "channel"."treasury_coin" k SET "lockedBy" = ${made.txid}
          WHERE k."txid" = ${txid} AND k."vout" = ${vout} AND (k."lockedBy" IS NULL OR EXISTS (
            SELECT FROM "channel"."treasury_transaction" t WHERE t."txid" = k."lockedBy" AND t."state" IN ${NOT_LIVING}))`;
        if (locked !== 1) throw new CoinTaken();
        await tx.$executeRaw`
          INSERT INTO "channel"."treasury_input" ("spenderTxid", "txid", "vout") VALUES (${made.txid}, ${txid}, ${vout})
          ON CONFLICT DO NOTHING`;
      }
    });
    return true;
  } catch (failure) {
    if (failure instanceof CoinTaken) return false;
    throw failure;
  }
}

/** How a transaction stands now. */
export interface TreasuryMove {
  readonly state: TreasuryState;
  readonly reason: string;
  readonly height: number | null;
  readonly confirmations: number;
  readonly nextLookSeconds: number | null;
}

/** Only sets when it is looked at again. */
export async function lookAgainAtTreasury(
  database: Database,
  row: TreasuryRow,
  inSeconds: number | null,
): Promise<void> {
  await database.$executeRaw`
    UPDATE "channel"."treasury_transaction" SET "nextActionAt" = ${nextUnlessWoken(row, inSeconds)}
    WHERE "txid" = ${row.txid} AND "version" = ${row.version}`;
}

/**
 * Moves a transaction to where it stands on chain. One that is mined takes its coins from whatever else of ours spends them,
 * and when it is final the others are void; a void one gives back what it had. False when the row has moved on.
 */
export async function moveTreasury(prisma: PrismaClient, row: TreasuryRow, move: TreasuryMove): Promise<boolean> {
  return prisma
    .$transaction(async (tx) => {
      if (isMined(move.state)) {
        const [state, reason] = move.state === 'buried' ? ['void', 'rival-buried'] : ['conflicted', 'rival-mined'];
        // Which of two rivals came first is for the chain to say, whatever we wanted.
        await tx.$executeRaw`
        UPDATE "channel"."treasury_transaction" t SET "state" = ${state}, "stateReason" = ${reason},
          "version" = t."version" + 1, "updatedAt" = now(), "nextActionAt" = least(t."nextActionAt", now() + interval '30 seconds')
        WHERE t."txid" <> ${row.txid} AND t."state" NOT IN ('void', 'confirmed', 'buried')
          AND NOT (t."state" = 'replaced' AND ${state} = 'conflicted') AND EXISTS (
            SELECT FROM "channel"."treasury_input" a JOIN "channel"."treasury_input" b
              ON a."txid" = b."txid" AND a."vout" = b."vout"
            WHERE a."spenderTxid" = ${row.txid} AND b."spenderTxid" = t."txid")`;
      }
      const moved = await tx.$executeRaw`
      UPDATE "channel"."treasury_transaction" SET "state" = ${move.state}, "stateReason" = ${move.reason},
        "height" = ${move.height}, "confirmations" = ${move.confirmations}, "version" = "version" + 1,
        "updatedAt" = now(), "nextActionAt" = ${nextUnlessWoken(row, move.nextLookSeconds)}
      WHERE "txid" = ${row.txid} AND "version" = ${row.version}`;
      if (moved !== 1) throw new RowMoved();
      if (move.state !== 'conflicted' && move.state !== 'replaced' && move.state !== 'void') {
        await tx.$executeRaw`
        UPDATE "channel"."treasury_coin" k SET "lockedBy" = ${row.txid}
        FROM "channel"."treasury_input" i
        WHERE i."spenderTxid" = ${row.txid} AND k."txid" = i."txid" AND k."vout" = i."vout"
          AND k."lockedBy" IS DISTINCT FROM ${row.txid} AND (k."lockedBy" IS NULL OR EXISTS (
            SELECT FROM "channel"."treasury_transaction" t WHERE t."txid" = k."lockedBy" AND t."state" IN ${NOT_LIVING}))`;
      }
      await tx.$executeRaw`
      UPDATE "channel"."treasury_coin" k SET "lockedBy" = NULL
      FROM "channel"."treasury_transaction" t WHERE t."txid" = k."lockedBy" AND t."state" = 'void'`;
      return true;
    })
    .catch(async (failure: unknown) => {
      if (!(failure instanceof RowMoved)) throw failure;
      // What was seen fits no more: it is looked at anew, not when the claim ends.
      await prisma.$executeRaw`
        UPDATE "channel"."treasury_transaction" SET "nextActionAt" = least("nextActionAt", now())
        WHERE "txid" = ${row.txid} AND "nextActionAt" IS NOT NULL`;
      return false;
    });
}

class RowMoved extends Error {}

export const isMined = (state: TreasuryState): boolean => state === 'confirmed' || state === 'buried';
