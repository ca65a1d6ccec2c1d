import pg from 'pg';

/** A channel as the database has it: what the proofs look at. */
export interface ChannelRecord {
  readonly id: string;
  readonly nodeId: string;
  readonly state: string;
  readonly stateReason: string;
  readonly version: number;
  readonly k: number;
  readonly frozenK: number | null;
  readonly kMin: number | null;
  readonly kCap: number | null;
  readonly deadlineMtp: number | null;
  readonly fundingTxid: string | null;
  readonly fundingVout: number | null;
  readonly settlementTxid: string | null;
  readonly keyEpoch: number;
  readonly keyIndex: number;
  readonly sellerPublicKey: string;
}

/** A child that pays for a settlement. */
export interface ChildRecord {
  readonly txid: string;
  readonly state: string;
  readonly reason: string;
  readonly inputSat: string;
  readonly feeSat: string;
}

/** One line of a channel's story. */
export interface ChannelEventRecord {
  readonly version: number;
  readonly state: string;
  readonly reason: string;
}

const COLUMNS = `"id"::text, "nodeId", "state", "stateReason", "version", "k"::int, "frozenK"::int, "kMin"::int,
  "kCap"::int, "deadlineMtp", "fundingTxid", "fundingVout", "settlementTxid", "keyEpoch", "keyIndex",
  encode("sellerPublicKey", 'hex') AS "sellerPublicKey"`;
const ANSWERS_WITHIN_MS = 60_000;
const RETRY_MS = 200;
/** Longer than any wait of the services for an unfunded join. */
const PATIENCE_HOURS = 400;

/** The fleet's database, whose server may be killed at any moment: questions are repeated until it answers. */
export class ProofDatabase {
  private pool: pg.Pool;

  constructor(readonly url: string) {
    this.pool = open(url);
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  async query<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    const deadline = Date.now() + ANSWERS_WITHIN_MS;
    for (;;) {
      try {
        return (await this.pool.query(text, [...values])).rows as T[];
      } catch (thrown) {
        if (Date.now() > deadline || isOurFault(thrown)) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Whether chain-watcher holds a settlement that was signed while the sale ran. */
  async isCheckpointFiled(id: string): Promise<boolean> {
    const filed = await this.query(
      'SELECT 1 FROM channel.checkpoint WHERE "channelId" = $1 AND "filedAt" IS NOT NULL LIMIT 1',
      [id],
    );
    return filed.length > 0;
  }

  async channel(id: string): Promise<ChannelRecord> {
    const [row] = await this.query<ChannelRecord>(`SELECT ${COLUMNS} FROM channel.channel WHERE "id" = $1`, [id]);
    if (row === undefined) throw new Error(`no channel ${id}`);
    return row;
  }

  async channelOfFunding(txid: string): Promise<ChannelRecord | undefined> {
    const rows = await this.query<ChannelRecord>(
      `SELECT ${COLUMNS} FROM channel.channel WHERE "fundingTxid" = $1 ORDER BY "createdAt"`,
      [txid],
    );
    return rows[0];
  }

  /** Every channel there is, oldest first. */
  async channels(): Promise<ChannelRecord[]> {
    return this.query<ChannelRecord>(`SELECT ${COLUMNS} FROM channel.channel ORDER BY "createdAt"`);
  }

  async story(id: string): Promise<ChannelEventRecord[]> {
    return this.query<ChannelEventRecord>(
      `SELECT "version", "state", "reason" FROM channel.channel_event WHERE "channelId" = $1 ORDER BY "version"`,
      [id],
    );
  }

  /** What the books hold of a channel, satoshi by account, without empty accounts. */
  async books(id: string): Promise<Map<string, bigint>> {
    const rows = await this.query<{ account: string; sat: string }>(
      `SELECT e."account", sum(e."amountSat")::text AS "sat" FROM channel.book_entry e
       JOIN channel.book_posting p ON p."id" = e."postingId" WHERE p."channelId" = $1
       GROUP BY e."account" HAVING sum(e."amountSat") <> 0 ORDER BY e."account"`,
      [id],
    );
    return new Map(rows.map(({ account, sat }) => [account, BigInt(sat)]));
  }

  /** Ids of all settlements that chain-watcher was ever given for a channel. */
  async broadcastsOf(id: string): Promise<string[]> {
    const rows = await this.query<{ txid: string }>('SELECT txid FROM chain.broadcast WHERE label = $1', [
      `settlement:${id}`,
    ]);
    return rows.map(({ txid }) => txid);
  }

  /** Children of a channel's settlement, oldest first. */
  async childrenOf(id: string): Promise<ChildRecord[]> {
    return this.query<ChildRecord>(
      `SELECT "txid", "state", "reason", "inputSat"::text, "feeSat"::text FROM channel.treasury_transaction
       WHERE "channelId" = $1 AND "kind" = 'child' ORDER BY "createdAt"`,
      [id],
    );
  }

  /** The bytes of a transaction of the treasury, hex. */
  async rawOf(txid: string): Promise<string> {
    const rows = await this.query<{ hex: string }>(
      `SELECT encode("raw", 'hex') AS "hex" FROM channel.treasury_transaction WHERE "txid" = $1`,
      [txid],
    );
    return rows[0]?.hex ?? '';
  }

  /** How many sweeps were stored. */
  async sweeps(): Promise<number> {
    const rows = await this.query<{ made: number }>(
      `SELECT count(*)::int AS "made" FROM channel.treasury_transaction WHERE "kind" = 'sweep'`,
    );
    return rows[0]?.made ?? 0;
  }

  /** How many of the treasury's transactions have not come to their end, and what lets their looks come sooner. */
  async openTreasury(): Promise<number> {
    const rows = await this.query<{ open: number }>(
      `SELECT count(*)::int AS "open" FROM channel.treasury_transaction WHERE "state" NOT IN ('buried', 'void')`,
    );
    return rows[0]?.open ?? 0;
  }

  async lookAtTreasury(): Promise<void> {
    await this.query(`UPDATE channel.treasury_transaction SET "nextActionAt" = now() WHERE "nextActionAt" > now()`);
  }

  /** Differences between books, channels, treasury and chain, without any grace. */
  async differences(): Promise<string[]> {
    const rows = await this.query<{ difference: string }>(
      `SELECT concat_ws(' ', "code", "channelId", "account", "expectedSat", "actualSat", "detail") AS "difference" FROM (
         SELECT * FROM channel.reconcile('0') UNION ALL SELECT * FROM channel.reconcile_treasury('0')) AS found LIMIT 20`,
    );
    return rows.map(({ difference }) => difference);
  }

  /** Lets the time of a wait pass: whoever looks after these channels looks now. */
  async lookNow(ids: readonly string[]): Promise<void> {
    await this.query(
      `UPDATE channel.channel SET "nextActionAt" = now() WHERE "id" = ANY($1::uuid[]) AND "nextActionAt" > now()`,
      [ids],
    );
  }

  /** Lets weeks pass for channels: what has waited for a funding is past its patience. */
  async outwait(ids: readonly string[]): Promise<void> {
    await this.query(
      `UPDATE channel.channel SET "createdAt" = "createdAt" - make_interval(hours => $2),
         "stateEnteredAt" = "stateEnteredAt" - make_interval(hours => $2), "nextActionAt" = now()
       WHERE "id" = ANY($1::uuid[]) AND "nextActionAt" IS NOT NULL`,
      [ids, PATIENCE_HOURS],
    );
  }
}

function open(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 3, connectionTimeoutMillis: 5_000 });
  // A killed server ends idle connections; the pool makes new ones.
  pool.on('error', () => undefined);
  return pool;
}

/** Errors of the SQL itself (classes 22, 23, 42) would be the same the next time. */
function isOurFault(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown }).code;
  return typeof code === 'string' && /^(22|23|42)/.test(code);
}
