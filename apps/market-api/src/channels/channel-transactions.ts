import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';

/** What a transaction is to its channel. */
export type TransactionRole =
  /** Makes the output that both keys can spend. */
  | 'funding'
  /** Spends an input of the funding in its stead. */
  | 'funding-rival'
  | 'settlement'
  /** Spends the funding output and is not the settlement that we sent: a twin of it, or the buyer's refund. */
  | 'foreign-spend'
  /** Pays for the settlement. */
  | 'child'
  /** Moves what the settlement brought: to the operator's wallet, or into smaller coins. */
  | 'sweep'
  | 'split';

/** A transaction of a channel, as far as the fleet knows it. */
export interface TransactionRow {
  readonly role: TransactionRole;
  readonly txid: string;
  readonly state: string;
  /** Why it is in that state, as a code or in the node's own words; empty where nothing is known. */
  readonly reason: string;
  /** Satoshi; null where it is somebody else's. */
  readonly feeSat: bigint | null;
  readonly height: number | null;
  readonly confirmations: number;
  /** The transaction that it was made to replace. */
  readonly replaces: string | null;
  /** When it was stored; null where it is somebody else's. */
  readonly madeAt: Date | null;
}

/** A channel with more transactions than this is a fault; the newest are shown. */
const MAX_TRANSACTIONS = 200;

/** Everything on chain that has to do with a channel, replaced and given up transactions included. */
@Injectable()
export class ChannelTransactions {
  constructor(private readonly prisma: PrismaClient) {}

  /** Oldest first, by what each is made from. */
  async of(channelId: string): Promise<TransactionRow[]> {
    return this.prisma.$queryRaw<TransactionRow[]>`
      WITH one AS (
        SELECT c.*, c."frozenK" * c."priceSat" <= 546 + c."settlementFeeSat" AS "belowMin"
        FROM channel.channel c WHERE c.id = ${channelId}::uuid
      ), output AS (
        SELECT w.*, (SELECT max(b.height) FROM chain.block b) AS "tipHeight"
        FROM one c JOIN chain.watched_output w ON w.txid = c."fundingTxid" AND w.vout = c."fundingVout"
      ), ours AS (
        SELECT t.* FROM channel.treasury_transaction t WHERE t."channelId" = ${channelId}::uuid
        UNION
        SELECT t.* FROM channel.treasury_coin k
        JOIN channel.treasury_input i ON i.txid = k.txid AND i.vout = k.vout
        JOIN channel.treasury_transaction t ON t.txid = i."spenderTxid"
        WHERE k."channelId" = ${channelId}::uuid
      ), every AS (
        SELECT 1 AS place, 'funding' AS role, c."fundingTxid" AS txid,
          CASE WHEN c."fundingHeight" IS NOT NULL THEN 'confirmed' WHEN w.state IS NULL OR w.state = 'unseen' THEN 'unseen'
            ELSE 'mempool' END AS state,
          '' AS reason, NULL::bigint AS "feeSat", c."fundingHeight" AS height, c."fundingConfirmations" AS confirmations,
          NULL AS replaces, c."fundingSeenAt" AS "madeAt"
        FROM one c LEFT JOIN output w ON true WHERE c."fundingTxid" IS NOT NULL
        UNION ALL
        SELECT 2, 'funding-rival', w."conflictTxid", CASE WHEN w."conflictHeight" IS NULL THEN 'seen' ELSE 'confirmed' END,
          '', NULL, w."conflictHeight", coalesce(w."tipHeight" - w."conflictHeight" + 1, 0), NULL, w."conflictSeenAt"
        FROM output w WHERE w."conflictTxid" IS NOT NULL
        UNION ALL
        SELECT 3, 'settlement', c."settlementTxid", coalesce(b.state, 'not-handed-over'), coalesce(b."rejectReason", ''),
          CASE WHEN c."belowMin" THEN c."frozenK" * c."priceSat" ELSE c."settlementFeeSat" END, b."confirmedHeight",
          coalesce(b.confirmations, 0), NULL, e.at
        FROM one c LEFT JOIN chain.broadcast b ON b.txid = c."settlementTxid"
        LEFT JOIN LATERAL (
          SELECT min(at) AS at FROM channel.channel_event
          WHERE "channelId" = c.id AND state = 'settling' AND reason IN ('stored', 'earlier-payment-sent', 'later-payment-sent',
            'later-payment-held')
        ) e ON true
        WHERE c."settlementTxid" IS NOT NULL
        UNION ALL
        SELECT 4, 'foreign-spend', w."spendTxid", CASE WHEN w."spendHeight" IS NULL THEN 'mempool' ELSE 'confirmed' END,
          CASE WHEN w."spendTxid" = c."minedTxid" THEN 'twin' ELSE '' END, NULL, w."spendHeight",
          coalesce(w."tipHeight" - w."spendHeight" + 1, 0), NULL, NULL
        FROM output w CROSS JOIN one c
        WHERE w."spendTxid" IS NOT NULL AND w."spendTxid" IS DISTINCT FROM c."settlementTxid"
        UNION ALL
        SELECT CASE t.kind WHEN 'child' THEN 5 ELSE 6 END, t.kind, t.txid, t.state,
          CASE WHEN t."stateReason" = t.state THEN t.reason ELSE t."stateReason" END, t."feeSat", t.height, t.confirmations,
          t.replaces, t."createdAt"
        FROM ours t
      )
      SELECT role, txid, state, reason, "feeSat", height, confirmations, replaces, "madeAt"
      FROM every ORDER BY place, "madeAt", txid LIMIT ${MAX_TRANSACTIONS}`;
  }
}
