import pg from 'pg';

/** Advisory lock of the chain's lease: the payment stream's partitions count from 0 in the same group. */
const LOCK = { group: 0x5eed, member: 1_000_000 };

export interface FencedLeaseTimes {
  /** How long a holder that is not heard of keeps the lease, milliseconds. */
  readonly leaseMs: number;
  /** How often a holder renews it. */
  readonly renewMs: number;
  /** How often others try to get it. */
  readonly retryMs: number;
}

export interface FencedLeaseEvents {
  /** Another process has it, and this one waits. */
  readonly waits: () => void;
  /** It is this process's. Told once. */
  readonly acquired: (token: bigint) => void;
  /** Another process has it: what this one knows may be old, and the database refuses what it writes. Told once. */
  readonly lost: (why: string) => void;
}

/** A database URL whose sessions say whose they are: the database refuses their writes without the lease. */
export function fencedUrl(databaseUrl: string, holder: string): string {
  return sessionUrl(databaseUrl, workName(holder), `-c seedfleet.lease=${holder}`);
}

const workName = (holder: string): string => `seedfleet-work:${holder}`;
const leaseName = (holder: string): string => `seedfleet-lease:${holder}`;

function sessionUrl(databaseUrl: string, name: string, options?: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('application_name', name);
  // Spaces as %20: the client reads a plus sign as itself.
  const query = options === undefined ? '' : `&options=${encodeURIComponent(options)}`;
  return `${url.href}${query}`;
}

/**
 * The right of one chain-watcher to work, as a row of `chain.lease` with a number that grows at each takeover, and an
 * advisory lock of the session that renews it. A holder that dies loses the lock with its connection, and another one has
 * the lease within a second or so; one that hangs, or that the database does not hear, loses it when the row has expired:
 * then its sessions are ended. Writes of a former holder are refused by triggers (see `fencedUrl`), however late they come.
 */
export class FencedLease {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;
  #token: bigint | undefined;
  #validUntilMs = 0;

  /** @param holder a UUID of this process, another one at each start */
  constructor(
    private readonly databaseUrl: string,
    readonly holder: string,
    private readonly times: FencedLeaseTimes,
    private readonly told: FencedLeaseEvents,
  ) {}

  start(): void {
    this.#schedule(0);
  }

  /**
   * True while this process knows of nothing against it. What it loses with a connection, or by being late, it has again
   * unless another one took over meanwhile.
   */
  get isHeld(): boolean {
    return this.#token !== undefined && performance.now() < this.#validUntilMs;
  }

  /** Gives it up, so that another one need not wait. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
    const client = this.#client;
    this.#client = undefined;
    this.#validUntilMs = 0;
    await client
      ?.query('UPDATE chain.lease SET "expiresAt" = now() WHERE holder = $1::uuid', [this.holder])
      .catch(() => undefined);
    await client?.end().catch(() => undefined);
  }

  #schedule(afterMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#working = this.#step();
    }, afterMs);
  }

  async #step(): Promise<void> {
    const startedMs = performance.now();
    try {
      if (this.#client === undefined) await this.#attempt(startedMs);
      else await this.#renew(this.#client, startedMs);
    } catch {
      // Not reachable now: health tells of the database, and the next step follows.
      this.#drop();
    }
    this.#schedule(this.#client === undefined ? this.times.retryMs : this.times.renewMs);
  }

  async #attempt(startedMs: number): Promise<void> {
    const client = new pg.Client({
      connectionString: sessionUrl(this.databaseUrl, leaseName(this.holder)),
      keepAlive: true,
      connectionTimeoutMillis: this.times.leaseMs / 2,
      // What takes longer than the lease lasts is of no use.
      query_timeout: this.times.leaseMs / 2,
    });
    // A connection that breaks tells so by this event; without a listener it would end the process.
    client.on('error', () => this.#client === client && this.#drop());
    client.on('end', () => this.#client === client && this.#drop());
    try {
      await client.connect();
      const lock = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [
        LOCK.group,
        LOCK.member,
      ]);
      const row = await this.#row(client);
      if (this.#token !== undefined && row?.holder !== this.holder) {
        endSoon(client);
        return this.#lose(row === undefined ? 'the lease is gone' : `number ${row.token} was taken by another`);
      }
      if (lock.rows[0]?.got === true) {
        await this.#take(client, row, startedMs);
        return;
      }
      if (this.#token === undefined) this.told.waits();
      // Its session stands and it does not renew: it hangs, or the way to it is cut.
      if (row?.expired === true) await this.#endSessions(client, row.holder);
    } catch (failure) {
      endSoon(client);
      throw failure;
    }
    endSoon(client);
  }

  async #row(client: pg.Client): Promise<{ holder: string; token: string; expired: boolean } | undefined> {
    const found = await client.query<{ holder: string; token: string; expired: boolean }>(
      'SELECT holder, token::text, "expiresAt" < now() AS expired FROM chain.lease',
    );
    return found.rows[0];
  }

  async #take(client: pg.Client, before: { holder: string } | undefined, startedMs: number): Promise<void> {
    // What the former holder has begun would hold the row against us.
    if (before !== undefined && before.holder !== this.holder) await this.#endSessions(client, before.holder);
    const taken = await client.query<{ token: string }>(
      `INSERT INTO chain.lease (holder, token, "expiresAt") VALUES ($1::uuid, 1, now() + $2 * interval '1 ms')
       ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, "expiresAt" = excluded."expiresAt",
         token = lease.token + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END,
         "takenAt" = CASE WHEN lease.holder = excluded.holder THEN lease."takenAt" ELSE now() END
       RETURNING token::text`,
      [this.holder, this.times.leaseMs],
    );
    this.#client = client;
    this.#validUntilMs = startedMs + this.times.leaseMs;
    const isNew = this.#token === undefined;
    this.#token = BigInt(taken.rows[0]?.token ?? '0');
    if (isNew && !this.#stopped) this.told.acquired(this.#token);
  }

  async #renew(client: pg.Client, startedMs: number): Promise<void> {
    const renewed = await client.query(
      `UPDATE chain.lease SET "expiresAt" = now() + $2 * interval '1 ms' WHERE holder = $1::uuid`,
      [this.holder, this.times.leaseMs],
    );
    if (renewed.rowCount === 1) this.#validUntilMs = startedMs + this.times.leaseMs;
    else {
      this.#drop();
      this.#lose('the lease is not its own any more');
    }
  }

  async #endSessions(client: pg.Client, holder: string): Promise<void> {
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = ANY($1) AND usename = current_user AND pid <> pg_backend_pid()`,
      [[workName(holder), leaseName(holder)]],
    );
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#validUntilMs = 0;
    if (client !== undefined) endSoon(client);
  }

  #lose(why: string): void {
    this.#validUntilMs = 0;
    const isFirst = !this.#stopped;
    this.#stopped = true;
    if (isFirst) this.told.lost(why);
  }
}

/** Not waited for: the other end of a connection that is cut never answers. */
function endSoon(client: pg.Client): void {
  client.end().catch(() => undefined);
}
