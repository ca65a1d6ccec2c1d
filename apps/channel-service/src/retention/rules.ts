import { intervalOf, keptSince, sentMessages, type Prisma, type RetentionRule } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import type { Signer } from '../keys/signer.js';

/** What an address is replaced by begins so. */
const HASHED = 'hash:';

/**
 * What the settler removes of the schema `channel`. It, and not the intake, because addresses are hashed under a key of the
 * seed.
 */
export function channelRules(kept: Policy['retention'], signer: Signer): RetentionRule[] {
  return [
    sentMessages('channel', kept.outboxMs),
    {
      name: 'channel',
      remove: async (tx, limit) => {
        const [row] = await tx.$queryRaw<{ count: number }[]>`
          SELECT "channel"."archive_channels"(${intervalOf(kept.hotChannelsMs)}, ${limit}::int) AS "count"`;
        return row?.count ?? 0;
      },
    },
    {
      name: 'book_rollup',
      remove: async (tx, limit) => {
        const [row] = await tx.$queryRaw<{ count: number }[]>`
          SELECT "channel"."forget_hours"(${intervalOf(kept.bookHoursMs)}, ${limit}::int) AS "count"`;
        return row?.count ?? 0;
      },
    },
    {
      // The newest key of an epoch stays: the next one is counted from it, and no number may come twice. Of epochs that are over, none is handed out any more.
      name: 'contract_key',
      remove: (tx, limit) => tx.$executeRaw`
        DELETE FROM "channel"."contract_key" WHERE ("epoch", "index") IN (
          SELECT k."epoch", k."index" FROM "channel"."contract_key" k
          WHERE (k."takenAt" < ${keptSince(kept.contractKeysMs)}
              OR k."takenAt" IS NULL AND k."epoch" < (SELECT max("epoch") FROM "channel"."key_epoch"))
            AND EXISTS (SELECT FROM "channel"."contract_key" n WHERE n."epoch" = k."epoch" AND n."index" > k."index")
            AND NOT EXISTS (
              SELECT FROM "channel"."channel" c
              WHERE c."keyEpoch" = k."epoch" AND c."keyIndex" = k."index" AND c."nextActionAt" IS NOT NULL)
          LIMIT ${limit})`,
    },
    {
      name: 'parked_payment',
      remove: (tx, limit) => tx.$executeRaw`
        DELETE FROM "channel"."parked_payment" WHERE "id" IN (
          SELECT "id" FROM "channel"."parked_payment" WHERE "at" < ${keptSince(kept.parkedPaymentsMs)} ORDER BY "id" LIMIT ${limit})`,
    },
    { name: 'address', remove: (tx, limit) => hashAddresses(tx, kept, signer, limit) },
    {
      name: 'address_hash',
      remove: (tx, limit) => tx.$executeRaw`
        UPDATE "channel"."channel" SET "peerAddress" = '' WHERE "id" IN (
          SELECT "id" FROM "channel"."channel"
          WHERE "peerAddress" LIKE 'hash:%' AND "createdAt" < ${keptSince(kept.addressesMs + kept.addressHashesMs)}
          ORDER BY "createdAt" LIMIT ${limit} FOR UPDATE SKIP LOCKED)`,
    },
  ];
}

/** Whatever the channel's state: after a week nothing asks for the address any more. */
async function hashAddresses(
  tx: Prisma.TransactionClient,
  kept: Policy['retention'],
  signer: Signer,
  limit: number,
): Promise<number> {
  const rows = await tx.$queryRaw<{ id: string; peerAddress: string }[]>`
    SELECT "id", "peerAddress" FROM "channel"."channel"
    WHERE "peerAddress" <> '' AND "peerAddress" NOT LIKE 'hash:%' AND "createdAt" < ${keptSince(kept.addressesMs)}
    ORDER BY "createdAt" LIMIT ${limit} FOR UPDATE SKIP LOCKED`;
  if (rows.length === 0) return 0;
  const hashes = await Promise.all(rows.map(({ peerAddress }) => signer.hashAddress(peerAddress)));
  return tx.$executeRaw`
    UPDATE "channel"."channel" c SET "peerAddress" = h."hash"
    FROM unnest(${rows.map(({ id }) => id)}::uuid[], ${hashes.map((hash) => HASHED + hash)}::text[]) AS h("id", "hash")
    WHERE c."id" = h."id"`;
}
