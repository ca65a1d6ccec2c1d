import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { natsUrlFor, startServers, type RunningServers } from '@seedfleet/fleet';
import { deployMigrations } from '@seedfleet/persistence';
import pg from 'pg';
import { patientRpc } from '../world/rpc.js';
import { SpendLog } from '../world/spend-log.js';
import { waitFor, type World } from '../world/world.js';
import { CuttableProxy } from './cuttable-proxy.js';
import { NodeLink } from './node-link.js';

const MAIN = fileURLToPath(new URL('../../../../apps/chain-watcher/dist/main.js', import.meta.url));
const START_MS = 60_000;
export const GRACE_SECONDS = 1;

/** An order as a table of dated orders has it. */
export interface OrderRecord {
  readonly version: number;
  readonly txid: string;
  readonly state: string;
  readonly sentTxid: string | null;
}

/** The tower's own site: Postgres, a Bitcoin node and the process, apart from the fleet but for two links. */
export class TowerSite {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly servers: RunningServers,
    /** Between the tower and the fleet's broker. */
    readonly broker: CuttableProxy,
    /** Between the two Bitcoin nodes. */
    readonly link: NodeLink,
    readonly spends: SpendLog,
    private readonly pool: pg.Pool,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async open(world: World): Promise<TowerSite> {
    const folder = join(world.folder, 'tower');
    const { PATH, HOME, SEEDFLEET_CACHE } = process.env;
    const servers = await startServers({ stateDir: folder, env: { PATH, HOME, SEEDFLEET_CACHE } });
    const { postgres, bitcoin } = servers.connections;
    await deployMigrations(postgres.url);
    const { run, state } = world.fleet;
    const natsUrl = new URL(natsUrlFor(run.nats, state, 'tower'));
    const broker = await CuttableProxy.before(new URL(natsUrl));
    natsUrl.hostname = '127.0.0.1';
    natsUrl.port = String(broker.port);
    const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
    pool.on('error', () => undefined);
    const site = new TowerSite(
      folder,
      servers,
      broker,
      new NodeLink(run.bitcoin.rpcUrl, bitcoin.rpcUrl),
      new SpendLog(bitcoin.zmq),
      pool,
      {
        PATH: PATH ?? '',
        ROLE: 'tower',
        SEEDFLEET_NETWORK: run.network,
        FLEET_ID: run.id,
        NATS_URL: natsUrl.href,
        DATABASE_URL: postgres.url,
        BTC_RPC: bitcoin.rpcUrl,
        BTC_ZMQ: bitcoin.zmq,
        ORDER_GRACE_SECONDS: String(GRACE_SECONDS),
        READY_FILE: join(folder, 'ready.json'),
      },
    );
    await waitFor(() => site.inStep(world), START_MS, "the tower's node to follow");
    await site.start();
    return site;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  async start(): Promise<void> {
    if (this.child !== undefined) return;
    const ready = join(this.folder, 'ready.json');
    rmSync(ready, { force: true });
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(this.folder, 'tower.log'), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.child = child;
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
    });
    await waitFor(() => existsSync(ready), START_MS, 'the tower to be ready');
  }

  async kill(): Promise<void> {
    const child = this.child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async order(id: string): Promise<OrderRecord | undefined> {
    const { rows } = await this.pool.query<OrderRecord>(
      `SELECT "version", "txid", "state", "sentTxid" FROM chain.dated_order WHERE "id" = $1`,
      [id],
    );
    return rows[0];
  }

  /** Every row of the table of orders, as a backup has it. */
  async backUp(): Promise<string> {
    const { rows } = await this.pool.query<{ rows: string }>(
      `SELECT coalesce(json_agg(o), '[]')::text AS rows FROM chain.dated_order o`,
    );
    return rows[0]?.rows ?? '[]';
  }

  async restore(backup: string): Promise<void> {
    await this.pool.query('TRUNCATE chain.dated_order, chain.broadcast');
    await this.pool.query(
      'INSERT INTO chain.dated_order SELECT * FROM json_populate_recordset(NULL::chain.dated_order, $1::json)',
      [backup],
    );
  }

  /** Whether node and process have followed to the fleet's tip. */
  async inStep(world: World): Promise<boolean> {
    const tip = await world.chain.call<string>('getbestblockhash');
    if ((await this.call<string>('getbestblockhash')) !== tip) return false;
    if (this.child === undefined) return true;
    const { rows } = await this.pool.query<{ hash: string }>(
      'SELECT "hash" FROM chain.block ORDER BY height DESC LIMIT 1',
    );
    return rows[0]?.hash === tip;
  }

  call<T>(method: string, ...params: unknown[]): Promise<T> {
    return patientRpc<T>(this.servers.connections.bitcoin.rpcUrl, method, params);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.link.stop();
    this.broker.close();
    this.spends.close();
    await this.pool.end();
    await this.servers.stop();
  }
}
