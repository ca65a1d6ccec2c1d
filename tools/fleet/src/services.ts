import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RolePasswords } from '@seedfleet/persistence';
import type { BitcoinConnection, Connections } from './providers/connections.js';
import { natsEnvironment } from './providers/nats-users.js';
import type { Network } from './providers/provider.js';
import { writeAtomically, type StateDir } from './state/state-dir.js';
import type { ProcessSpec } from './supervise/supervised-process.js';

/**
 * The contract between this tool and the services: `node apps/<app>/dist/main.js`, configured by the environment alone.
 * Every name of a variable that a service reads from the fleet is in this file.
 */

const APPS = fileURLToPath(new URL('../../../apps/', import.meta.url));

/** One service process of the fleet. */
export interface ServicePlan {
  /** The process's name, in logs and run.json. */
  readonly name: string;
  readonly app: 'chain-watcher' | 'channel-service' | 'market-api' | 'swarm-node';
  /** Stopped from the highest tier down: nodes first, the chain last. */
  readonly tier: number;
  /** The variables of this process; without those that all have in common. */
  readonly env: Readonly<Record<string, string>>;
  /** Whose credential of the broker it uses, where that is not its own name's. */
  readonly credential?: string;
  /** The address a node listens on for peers; ports are picked at the start. */
  readonly peerHost?: string;
}

/** What the plans are made from. */
export interface ServiceSettings {
  readonly state: StateDir;
  readonly connections: Connections;
  /** Postgres URLs by owner, from roles of their own where those could be made. */
  readonly databases: RolePasswords;
  /** Postgres URL of the tower's own database; undefined where there is no tower. */
  readonly towerDatabase?: string | undefined;
  readonly network: Network;
  readonly nodes: number;
  /** How many run of a service, by its name; one each where it is left out. */
  readonly copies: Readonly<Record<string, number>>;
  /** Folders whose content may be made into torrents; the nodes of this machine see them at the same place. */
  readonly contentRoots: readonly string[];
  /** Whether the seed is in a process of its own. Default: with the settler. */
  readonly remoteSigner?: boolean;
}

/** Where the market API's first administrator key is written. */
export function apiKeyFile(state: StateDir): string {
  return state.file('services', 'market-api', 'api-key');
}

/** Every service of the fleet in starting order, one list per stage; a stage's services start together. */
export function planServices(settings: ServiceSettings): readonly (readonly ServicePlan[])[] {
  const { state, connections, databases } = settings;
  const { bitcoin, redis } = connections;
  const towerEnv: Readonly<Record<string, string>> = settings.towerDatabase === undefined ? {} : { TOWER: 'true' };
  const chainWatcher: ServicePlan = {
    name: 'chain-watcher',
    app: 'chain-watcher',
    tier: 1,
    env: {
      DATABASE_URL: databases.chain,
      ...bitcoinEnv(bitcoin),
      ...towerEnv,
    },
  };
  const tower: readonly ServicePlan[] =
    settings.towerDatabase === undefined
      ? []
      : [
          {
            name: 'tower',
            app: 'chain-watcher',
            tier: 1,
            env: { ROLE: 'tower', DATABASE_URL: settings.towerDatabase, ...bitcoinEnv(bitcoin) },
          },
        ];
  const channelEnv = { DATABASE_URL: databases.channel, REDIS_URL: redis.url };
  // Whichever process has the seed: a fleet may be started the other way the next time.
  const seedEnv = {
    SEED_FILE: join(state.folder('services', 'channel-settler'), 'seed.json'),
    SEED_KEY_FILE: seedKeyFile(state),
  };
  const isRemote = settings.remoteSigner === true;
  const signer: ServicePlan = {
    name: 'channel-signer',
    app: 'channel-service',
    tier: 1,
    env: {
      ...seedEnv,
      ROLE: 'signer',
      SIGNING_LOG: join(state.folder('services', 'channel-signer'), 'signing.log'),
    },
  };
  const settler: ServicePlan = {
    name: 'channel-settler',
    app: 'channel-service',
    tier: 2,
    env: { ...channelEnv, ...towerEnv, ROLE: 'settler', ...(isRemote ? { SIGNER: 'remote' } : seedEnv) },
  };
  // The intake holds no private key, so it is told of none.
  const intake: ServicePlan = {
    name: 'channel-intake',
    app: 'channel-service',
    tier: 3,
    env: { ...channelEnv, ROLE: 'intake' },
  };
  state.folder('services', 'market-api');
  const marketApi: ServicePlan = {
    name: 'market-api',
    app: 'market-api',
    tier: 4,
    env: {
      DATABASE_URL: databases.market,
      REDIS_URL: redis.url,
      API_KEY_FILE: apiKeyFile(state),
      CONTENT_ROOTS: settings.contentRoots.join(','),
    },
  };
  const nodes = Array.from({ length: settings.nodes }, (_, index): ServicePlan => {
    const name = `node-${index + 1}`;
    return {
      name,
      app: 'swarm-node',
      tier: 5,
      env: { NODE_ID: name, DATA_DIR: state.folder('services', name) },
      peerHost: `127.0.0.${index + 1}`,
    };
  });
  const copies = [chainWatcher, settler, intake, marketApi].flatMap((plan) =>
    copiesOf(plan, settings.copies[plan.name] ?? 1),
  );
  // Copies find the seed and the first key that the first of their kind has made. The other nodes join the DHT through the first.
  return [
    isRemote ? [chainWatcher, signer] : [chainWatcher],
    [settler, intake, marketApi, ...tower],
    copies,
    nodes.slice(0, 1),
    nodes.slice(1),
  ];
}

/** The second to last of a service of which several run. */
function copiesOf(plan: ServicePlan, count: number): ServicePlan[] {
  return Array.from({ length: count - 1 }, (_, index) => ({
    ...plan,
    name: `${plan.name}-${index + 2}`,
    credential: plan.name,
  }));
}

/** How chain-watcher reaches the node: a cookie changes with each start of the node, so it reads the file itself. */
function bitcoinEnv({ rpcUrl, zmq, cookieFile }: BitcoinConnection): Record<string, string> {
  const withZmq = zmq === '' ? {} : { BTC_ZMQ: zmq };
  if (cookieFile === undefined) return { BTC_RPC: rpcUrl, ...withZmq };
  const bare = new URL(rpcUrl);
  bare.username = '';
  bare.password = '';
  return { BTC_RPC: bare.href, BTC_COOKIE: cookieFile, ...withZmq };
}

export interface ServicePorts {
  readonly http: number;
  /** Of a node: for peers, and of the same number the DHT's, UDP. */
  readonly peer: number;
}

/** The process of one service on given ports. */
export function serviceProcess(
  plan: ServicePlan,
  settings: ServiceSettings,
  ports: ServicePorts,
  logLevel: string,
): ProcessSpec {
  const { state, network, connections } = settings;
  const readyFile = join(state.folder('services'), `${plan.name}.ready.json`);
  rmSync(readyFile, { force: true });
  const health = `http://127.0.0.1:${ports.http}/health`;
  return {
    name: plan.name,
    command: process.execPath,
    args: ['--enable-source-maps', join(APPS, plan.app, 'dist/main.js')],
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(process.env['NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['NODE_OPTIONS'] }),
      SEEDFLEET_NETWORK: network,
      FLEET_ID: state.id,
      ...natsEnvironment(connections.nats.url, state, plan.credential ?? plan.name),
      ...(connections.nats.monitorUrls ? { NATS_MONITOR_URLS: connections.nats.monitorUrls } : {}),
      BROKER_DURABILITY: 'fsync',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(ports.http),
      READY_FILE: readyFile,
      LOG_LEVEL: logLevel,
      ...(plan.peerHost === undefined ? {} : nodeEnv(plan.peerHost, ports)),
      ...plan.env,
    },
    cwd: state.path,
    stopSignal: 'SIGTERM',
    // A node on regtest gives running channels 5 s, then settles them.
    graceMs: 20_000,
    tier: plan.tier,
    isReady: async (pid) =>
      readyPid(readyFile) === pid && (await fetch(health, { signal: AbortSignal.timeout(2000) })).ok,
    readyTimeoutMs: 60_000,
  };
}

function nodeEnv(host: string, ports: ServicePorts): Record<string, string> {
  return { PEER_HOST: host, PEER_PORT: String(ports.peer), DHT_PORT: String(ports.peer) };
}

/** Passwords of the services' Postgres roles: made from the fleet's secret, so a second start finds the same. */
export function rolePasswords(state: StateDir): RolePasswords {
  const password = (role: string) => createHmac('sha256', state.known.secrets.postgres).update(role).digest('hex');
  return { chain: password('chain'), channel: password('channel'), market: password('market') };
}

/** The passphrase that encrypts the wallet's seed at rest; made once. */
function seedKeyFile(state: StateDir): string {
  const file = join(state.folder('services', 'channel-settler'), 'seed.key');
  if (!existsSync(file)) {
    writeAtomically(file, `${randomBytes(32).toString('hex')}\n`);
  }
  return file;
}

/** The pid that a service wrote when it was ready: a file of an earlier process doesn't count. */
function readyPid(file: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid?: number }).pid;
  } catch {
    return undefined;
  }
}
