import type { Account } from '@seedfleet/books';
import type { Database } from '../channels/database.js';

/** What of books, channels and chain does not agree. */
export type DifferenceCode =
  /** An account does not hold what the channel's state says. */
  | 'books-not-channel'
  /** A stored settlement is unknown to chain-watcher. */
  | 'settlement-not-handed-over'
  /** chain-watcher keeps other bytes under the settlement's txid than the channel. */
  | 'settlement-bytes-differ'
  /** Our output in the settlement is not the amount that is booked as ours. */
  | 'seller-output-differs'
  /** What the settlement leaves to the miners is not the amount that is booked as fee. */
  | 'mining-fee-differs'
  /** The settlement is in a block, and the books don't have it as confirmed. */
  | 'mined-not-booked'
  /** The books have a settlement as confirmed that is in no block. */
  | 'booked-not-mined'
  /** The settlement is final, and the books don't have it as buried. */
  | 'buried-not-booked'
  /** The books have a settlement as buried that is not final. */
  | 'booked-not-buried'
  /** The settlement is in another block than the channel says. */
  | 'height-differs'
  /** The funding output is worth something else than the channel counts with. */
  | 'funding-value-differs'
  /** The funding output went to a foreign transaction, and is booked as if it had come to us. */
  | 'spent-by-another'
  /** A settlement was handed to chain-watcher that is not its channel's. */
  | 'settlement-of-no-channel'
  /** An account does not hold what the state of a transaction of the treasury says. */
  | 'books-not-treasury'
  /** A stored transaction of the treasury is unknown to chain-watcher, has other bytes there, or is nobody's. */
  | 'treasury-not-handed-over'
  | 'treasury-bytes-differ'
  | 'treasury-of-nobody'
  /** Its outputs, or the coins that it spends, are not the amounts that are booked. */
  | 'treasury-amount-differs'
  /** It is in a block on one side only. */
  | 'treasury-mined-not-booked'
  | 'treasury-booked-not-mined'
  /** A living transaction spends a coin that it has not locked: another one may spend it too. */
  | 'coin-twice'
  /** What lies on payout keys, coin by coin, is not what the books hold. */
  | 'hot-balance-differs'
  /** A roll-up that reports read is not the sum of the entries. */
  | 'rollup-not-books'
  /** The hours or days of a roll-up don't add up to its total. */
  | 'rollup-periods-differ'
  /** What a page of torrents shows of all time is not the roll-up. */
  | 'rollup-total-differs';

/** One difference. Amounts in satoshi; null where the difference is not one of amounts. */
export interface Difference {
  readonly code: DifferenceCode;
  readonly channelId: string | null;
  readonly infoHash: string | null;
  readonly account: Account | null;
  /** What channel or chain say. */
  readonly expectedSat: bigint | null;
  /** What is booked. */
  readonly actualSat: bigint | null;
  readonly detail: string | null;
}

/** More than this many differences are no list for a person any more. */
const MAX_DIFFERENCES = 1_000;

/**
 * Compares books, channels and chain, at one moment, by running balances: what it takes grows with the channels, not with
 * the entries. That the balances are the sums of the entries is for `reconcile` to say. At most 1000 differences.
 * @param graceSeconds as there
 */
export async function reconcileRunning(database: Database, graceSeconds: number): Promise<Difference[]> {
  return database.$queryRaw<Difference[]>`
    SELECT * FROM "channel"."reconcile_running"(make_interval(secs => ${graceSeconds}::float8))
    UNION ALL SELECT * FROM "channel"."reconcile_treasury_running"(make_interval(secs => ${graceSeconds}::float8))
    LIMIT ${MAX_DIFFERENCES}`;
}

/**
 * Compares books, channels and chain, at one moment, and the roll-ups with the books, by all entries; empty when all
 * agree. At most 1000 differences.
 * @param graceSeconds how long channel and chain may disagree about what is mined: news is on its way.
 */
export async function reconcile(database: Database, graceSeconds: number): Promise<Difference[]> {
  const found = await database.$queryRaw<Difference[]>`
    SELECT * FROM "channel"."reconcile"(make_interval(secs => ${graceSeconds}::float8))
    UNION ALL SELECT * FROM "channel"."reconcile_treasury"(make_interval(secs => ${graceSeconds}::float8))
    LIMIT ${MAX_DIFFERENCES}`;
  const rollups = await database.$queryRaw<Difference[]>`
    SELECT "code", NULL AS "channelId", CASE "subject" WHEN 'torrent' THEN "key" END AS "infoHash", NULL AS "account",
      "expected" AS "expectedSat", "actual" AS "actualSat", concat_ws(' ', "subject", nullif("key", ''), "measure") AS "detail"
    FROM "channel"."reconcile_rollups"() LIMIT ${MAX_DIFFERENCES}`;
  return [...found, ...rollups].slice(0, MAX_DIFFERENCES);
}

/** What every account holds over all channels, satoshi. Accounts without entries are left out. */
export async function readBalances(database: Database): Promise<ReadonlyMap<Account, bigint>> {
  const rows = await database.$queryRaw<{ account: Account; amountSat: bigint }[]>`
    SELECT "account", "amountSat" FROM "channel"."book_balance_now"`;
  return new Map(rows.map(({ account, amountSat }) => [account, amountSat]));
}
