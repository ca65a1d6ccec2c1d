import pg from 'pg';

/** How often a process without the lease tries to get it. */
const RETRY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Which lease of the database: both are signed 32-bit integers. */
export interface LeaseName {
  readonly group: number;
  readonly member: number;
}

/**
 * The right of one process to do something alone, as an advisory lock held by a database session of its own: it ends
 * with the process or its connection and never outlives either. Others wait and take over within a second or so.
 */
export class SessionLease {
  private client: pg.Client | null = null;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly name: LeaseName,
    private readonly told: { readonly acquired: () => void; readonly lost: (why: string) => void },
  ) {}

  start(): void {
    void this.attempt();
  }

  get isHeld(): boolean {
    return this.client !== null;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const client = this.client;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private async attempt(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.databaseUrl,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    // A connection that breaks tells so by this event; without a listener it would end the process.
    client.on('error', (failure) => this.drop(client, failure.message));
    client.on('end', () => this.drop(client, 'the database connection ended'));
    try {
      await client.connect();
      const result = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [
        this.name.group,
        this.name.member,
      ]);
      if (result.rows[0]?.got === true && !this.stopped) {
        this.client = client;
        this.told.acquired();
        return;
      }
    } catch {
      // Not reachable now; health tells of the database, and the next attempt follows.
    }
    await client.end().catch(() => undefined);
    if (!this.stopped) this.timer = setTimeout(() => void this.attempt(), RETRY_MS);
  }

  private drop(client: pg.Client, why: string): void {
    if (this.client !== client) return;
    this.client = null;
    this.told.lost(why);
    if (!this.stopped) this.timer = setTimeout(() => void this.attempt(), RETRY_MS);
  }
}
