import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';
import { p2pkhAddress } from '@seedfleet/payment-channel';
import { startFleet, type FleetOptions, type RunningFleet } from '@seedfleet/fleet';
import { ProofChain } from './chain.js';
import { ProofDatabase } from './database.js';
import { KillOrders } from './kill-orders.js';
import { ProofMarket } from './market.js';
import { SpendLog } from './spend-log.js';

const PIECE_BYTES = 16_384;
/** Confirmed coins for the fundings of one proof. */
const COINS = 120;
const COIN_SAT = 200_000n;
const RESTART_MS = 90_000;
const POLL_MS = 50;

/** The operator's own wallet, to which earnings are swept. */
const COLD_KEY_HASH = randomBytes(20);
export const coldAddress = (): string => p2pkhAddress(COLD_KEY_HASH, 'regtest');
/** Whoever has a say in where earnings go. */
const SWEEPERS: readonly string[] = ['channel-settler', 'channel-signer'];

/** A torrent on sale. */
export interface Goods {
  readonly metainfo: Metainfo;
  readonly priceSat: bigint;
}

/** Variables of processes, by the process's name. */
export type ProcessVariables = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What the proofs look at: a fleet from outside, and the chain. */
export interface Place {
  readonly chain: ProofChain;
  readonly database: ProofDatabase;
  readonly spends: SpendLog;
  /** Where a node listens for peers. */
  node(index?: number): { readonly host: string; readonly port: number };
}

/** One whole fleet of separate processes on real servers, for a proof alone. */
export class World implements Place {
  private readonly crashed = new Map<string, number>();
  /** By name, the count of deaths when it was last ready again. */
  private readonly ready = new Map<string, number>();

  private constructor(
    readonly folder: string,
    readonly fleet: RunningFleet,
    readonly chain: ProofChain,
    readonly database: ProofDatabase,
    readonly market: ProofMarket,
    readonly orders: KillOrders,
    readonly spends: SpendLog,
    events: { onEvent: (type: 'crashed' | 'restarted', name: string) => void },
  ) {
    events.onEvent = (type, name) => {
      if (type === 'crashed') this.crashed.set(name, this.deaths(name) + 1);
      else this.ready.set(name, this.deaths(name));
    };
  }

  /** Starts servers and services below a folder; blocks are mined only when the proof says so. */
  static async open(
    folder: string,
    shape: Pick<FleetOptions, 'nodes' | 'copies' | 'remoteSigner'> = {},
    variables: ProcessVariables = {},
  ): Promise<World> {
    mkdirSync(folder, { recursive: true });
    const orders = new KillOrders(join(folder, 'orders'));
    const events = { onEvent: (_type: 'crashed' | 'restarted', _name: string): void => undefined };
    const fleet = await startFleet({
      ...shape,
      stateDir: join(folder, 'fleet'),
      mine: false,
      // Small enough to be filled.
      bitcoinSettings: ['maxmempool=5'],
      // Servers of its own: they are going to be killed.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], SEEDFLEET_CACHE: process.env['SEEDFLEET_CACHE'] },
      restartLongestMs: 500,
      serviceEnv: (name) => ({
        ...orders.environment(name),
        ...variables[name],
        ...(SWEEPERS.includes(name) ? { TREASURY_ADDRESS: coldAddress() } : {}),
      }),
      onEvent: ({ type, name }) => events.onEvent(type, name),
    });
    const { run } = fleet;
    const chain = new ProofChain(run.bitcoin.rpcUrl);
    const world = new World(
      folder,
      fleet,
      chain,
      new ProofDatabase(run.postgres),
      new ProofMarket(run.marketApi.url, run.marketApi.keyFile),
      orders,
      new SpendLog(run.bitcoin.zmq),
      events,
    );
    await chain.makeCoins(COINS, COIN_SAT);
    return world;
  }

  async close(): Promise<void> {
    this.spends.close();
    await this.database.close();
    await this.fleet.stop(10_000);
  }

  /** Where a node listens for peers. */
  node(index = 0): { readonly host: string; readonly port: number } {
    const address = this.fleet.run.nodes[index]?.peerAddress ?? '';
    const [host = '', port = ''] = address.split(':');
    return { host, port: Number(port) };
  }

  /** Puts random content of so many small pieces on sale. */
  async sell(name: string, pieces: number, priceSat: bigint): Promise<Goods> {
    return putOnSale(this.market, join(this.folder, 'content'), name, pieces, priceSat);
  }

  /** How often a process has died since the start. */
  deaths(name: string): number {
    return this.crashed.get(name) ?? 0;
  }

  /** Ends a process at once, as if its plug had been pulled. Its supervisor starts it again. */
  async kill(name: string): Promise<void> {
    // A killed node takes the blocks since its last flush, an hour or so, from its peers again. This one has no peers.
    if (name === 'bitcoin') await this.chain.call('gettxoutsetinfo', 'none');
    const deaths = this.deaths(name);
    process.kill(this.pidOf(name), 'SIGKILL');
    await waitFor(() => this.deaths(name) > deaths, RESTART_MS, `${name} to die`);
  }

  /** Ends a process at once and for good. */
  async remove(name: string): Promise<void> {
    process.kill(this.pidOf(name), 'SIGKILL');
    await this.fleet.supervisor.stop(name);
  }

  /** Asks a process to end, as an upgrade does, and waits until it is started again and ready. */
  async restart(name: string): Promise<void> {
    const deaths = this.deaths(name);
    process.kill(this.pidOf(name), 'SIGTERM');
    await waitFor(() => this.deaths(name) > deaths, RESTART_MS, `${name} to end`);
    await this.allUp();
  }

  /** Works while some processes stand still, as on a machine that hangs; afterwards they go on with all they had in mind. */
  async whileStopped(names: readonly string[], work: () => Promise<void>): Promise<void> {
    const pids = names.map((name) => this.pidOf(name));
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await work();
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
  }

  /** Of a process that runs. */
  pidOf(name: string): number {
    const found = this.fleet.supervisor.summary().find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found.pid;
  }

  /** Waits until everything that died has been started again and is ready. */
  async allUp(): Promise<void> {
    const isUp = (name: string): boolean => this.ready.get(name) === this.deaths(name);
    await waitFor(() => [...this.crashed.keys()].every(isUp), RESTART_MS, 'what died to be started again');
  }
}

/** Puts random content of so many small pieces, below a folder, on sale. */
export async function putOnSale(
  market: ProofMarket,
  folder: string,
  name: string,
  pieces: number,
  priceSat: bigint,
): Promise<Goods> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, randomBytes(pieces * PIECE_BYTES));
  const bytes = await createMetainfo(path, { name, pieceLengthBytes: PIECE_BYTES });
  const parsed = parseMetainfo(bytes);
  if (!parsed.ok) throw new Error(`the torrent can't be read: ${JSON.stringify(parsed.error)}`);
  await market.sell(bytes, path, parsed.value.infoHash, priceSat);
  return { metainfo: parsed.value, priceSat };
}

/** Polls until a condition holds; throws what was waited for when it does not. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
