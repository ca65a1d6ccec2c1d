import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { p2pkhAddress } from '@seedfleet/payment-channel';
import { readRun, startBitcoin, type RunFile } from '@seedfleet/fleet';
import { ProofChain } from '../world/chain.js';
import { ProofDatabase } from '../world/database.js';
import { ProofMarket } from '../world/market.js';
import { SpendLog } from '../world/spend-log.js';
import { putOnSale, waitFor, type Goods, type Place } from '../world/world.js';
import { Operator } from './operator.js';

const COINS = 40;
const COIN_SAT = 200_000n;
const GONE_MS = 60_000;

/** A fleet that an operator runs by commands alone, on a Bitcoin network that no disaster of theirs touches. */
export class DrillSite implements Place {
  database!: ProofDatabase;
  market!: ProofMarket;
  private current: RunFile | undefined;

  private constructor(
    readonly folder: string,
    readonly operator: Operator,
    readonly chain: ProofChain,
    readonly spends: SpendLog,
    /** The operator's own wallet: where sweeps go. */
    readonly coldAddress: string,
    private readonly network: { stop(): Promise<void> },
  ) {}

  static async open(
    folder: string,
    interruption: AbortSignal,
    { remoteSigner }: { readonly remoteSigner: boolean },
  ): Promise<DrillSite> {
    mkdirSync(folder, { recursive: true });
    const { PATH = '', HOME = '', SEEDFLEET_CACHE } = process.env;
    const env = { PATH, HOME, ...(SEEDFLEET_CACHE === undefined ? {} : { SEEDFLEET_CACHE }) };
    const network = await startBitcoin({ stateDir: join(folder, 'bitcoin'), env });
    const coldAddress = p2pkhAddress(randomBytes(20), 'regtest');
    const at = (name: string): string => join(folder, name);
    writeFileSync(at('passphrase'), randomBytes(16).toString('hex'), { mode: 0o600 });
    const { rpcUrl, zmq } = network.bitcoin;
    const operator = new Operator(folder, {
      ...env,
      BTC_RPC: rpcUrl,
      BTC_ZMQ: zmq,
      TREASURY_ADDRESS: coldAddress,
      STATE: at('fleet'),
      NEW: at('new-site'),
      BACKUP: at('backup'),
      KEY: at('seed.key'),
      PASSPHRASE: at('passphrase'),
      FRESH: at('fresh.key'),
      NODE: 'node-1',
      NETWORK: 'regtest',
      SIGNER_BACKUP: at('signer-backup'),
      SEED_FILE: at('fleet/services/channel-settler/seed.json'),
      SEED_KEY_FILE: at('fleet/services/channel-settler/seed.key'),
      SIGNING_LOG: at('fleet/services/channel-signer/signing.log'),
    });
    interruption.addEventListener('abort', () => operator.endAll());
    const site = new DrillSite(folder, operator, new ProofChain(rpcUrl), new SpendLog(zmq), coldAddress, network);
    try {
      interruption.throwIfAborted();
      const shape = remoteSigner ? ' --remote-signer' : '';
      await operator.run(`npm start -- --no-sale --no-mine --yes${shape} --state "$STATE"`);
      await site.look();
      // A copy of the seed key that is on no host of the fleet, as the pages ask for.
      copyFileSync(join(site.state, 'services', 'channel-settler', 'seed.key'), at('seed.key'));
      await site.chain.makeCoins(COINS, COIN_SAT);
      return site;
    } catch (thrown) {
      await site.close();
      throw thrown;
    }
  }

  get state(): string {
    return this.operator.variables['STATE'] ?? '';
  }

  get run(): RunFile {
    if (this.current === undefined) throw new Error('no fleet runs');
    return this.current;
  }

  /** Takes the fleet that runs now for the one that is looked at. */
  async look(state = this.state): Promise<void> {
    await this.database?.close();
    this.current = readRun(state);
    this.operator.variables['STATE'] = state;
    this.database = new ProofDatabase(this.run.postgres);
    this.market = new ProofMarket(this.run.marketApi.url, this.run.marketApi.keyFile);
  }

  node(index = 0): { readonly host: string; readonly port: number } {
    const [host = '', port = ''] = (this.run.nodes[index]?.peerAddress ?? '').split(':');
    return { host, port: Number(port) };
  }

  sell(name: string, pieces: number, priceSat: bigint): Promise<Goods> {
    return putOnSale(this.market, join(this.folder, 'content'), name, pieces, priceSat);
  }

  /** Ends a process at once, as a power failure does. */
  kill(...names: readonly string[]): void {
    this.current = readRun(this.state);
    for (const { name, pid } of this.run.processes) if (names.includes(name)) process.kill(pid, 'SIGKILL');
  }

  /** Everything of the fleet at once, and all of its files. */
  async destroy(): Promise<void> {
    const names = readRun(this.state).processes.map(({ name }) => name);
    const runner = JSON.parse(readFileSync(join(this.state, 'fleet.lock'), 'utf8')) as { pid: number };
    process.kill(runner.pid, 'SIGKILL');
    this.kill(...names);
    const data = this.databaseFolder();
    const isGone = (pid: number): boolean => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    };
    await waitFor(() => this.run.processes.every(({ pid }) => isGone(pid)), GONE_MS, 'the site to be gone');
    rmSync(data, { recursive: true, force: true });
    rmSync(this.state, { recursive: true, force: true });
  }

  /** Where Postgres keeps its data. */
  databaseFolder(): string {
    const memory = JSON.parse(readFileSync(join(this.state, 'fleet.json'), 'utf8')) as { postgresData: string };
    return memory.postgresData;
  }

  /** Everything ends, whatever state it is in. */
  async close(): Promise<void> {
    this.spends.close();
    await this.database?.close();
    for (const state of new Set([this.state, this.operator.variables['NEW'] ?? ''])) {
      await this.operator.run(`npm stop -- --state '${state}'`).catch(() => undefined);
    }
    this.operator.endAll();
    await this.network.stop();
  }
}
