import { deployMigrations, deployRoles } from '@seedfleet/persistence';
import { FleetError, reasonOf } from './errors.js';
import { pickPort } from './free-port.js';
import { isRegtest, type Network, type ProviderContext } from './providers/provider.js';
import type { Connections } from './providers/connections.js';
import { ensureDatabase } from './providers/postgres.js';
import type { Conversation } from './providers/provide.js';
import { startOnFreePorts } from './providers/start-server.js';
import { bringServers, plainStep, silentConsent, type RunStep } from './servers.js';
import {
  apiKeyFile,
  planServices,
  type ServicePorts,
  rolePasswords,
  serviceProcess,
  type ServicePlan,
  type ServiceSettings,
} from './services.js';
import { AutoMiner } from './mining/auto-miner.js';
import { lock, releaseLocks } from './state/folder-lock.js';
import { publishRun, withdrawRun, type RunFile } from './state/run-file.js';
import { forgetServers } from './state/server-record.js';
import { StateDir } from './state/state-dir.js';
import type { ProcessEvent } from './supervise/supervised-process.js';
import { Supervisor } from './supervise/supervisor.js';

/** What `startFleet` needs; only the state folder has no default. */
export interface FleetOptions {
  /** Holds all state; a second start resumes it. */
  readonly stateDir: string;
  /** Default: regtest. */
  readonly network?: Network;
  /** Swarm nodes, on 127.0.0.1, 127.0.0.2, … Default: 1. */
  readonly nodes?: number;
  /** How many run of chain-watcher, channel-settler, channel-intake and market-api. Default: one each. */
  readonly copies?: Readonly<Record<string, number>>;
  /** A settlement tower, with a database of its own on the same server and the fleet's Bitcoin node. Default: none. */
  readonly tower?: boolean;
  /** Absolute; folders whose content may be made into torrents. Default: none. */
  readonly contentRoots?: readonly string[];
  /** Whether the seed is in a process of its own, which signs for the settler. Default: no. */
  readonly remoteSigner?: boolean;
  /** On regtest, mine a block 2 s after a transaction enters the mempool. Default: yes. */
  readonly mine?: boolean;
  /** Where DATABASE_URL, NATS_URL, REDIS_URL and BTC_RPC are looked for. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Further lines of the configuration of a Bitcoin node that is started here. */
  readonly bitcoinSettings?: readonly string[];
  /** Of the services. Default: info. */
  readonly logLevel?: string;
  /** Further variables for a service, by its name (node-1, chain-watcher, …): orders for its fault points. */
  readonly serviceEnv?: (name: string) => Readonly<Record<string, string>>;
  /** The longest pause before a crashed process is started again. Default: 30 s. */
  readonly restartLongestMs?: number;
  /** Told of crashes and restarts. */
  readonly onEvent?: (event: ProcessEvent) => void;
  /** Default: packages may be brought, nothing is said. */
  readonly conversation?: Conversation;
  readonly step?: RunStep;
}

/** A fleet that answers. */
export interface RunningFleet {
  readonly state: StateDir;
  readonly run: RunFile;
  readonly supervisor: Supervisor;
  /** Undefined where blocks are not made here. */
  readonly miner: AutoMiner | undefined;
  /** Where a service answers /health, /metrics and, the market API, everything else. */
  urlOf(name: string): string;
  /** Starts one more node on the next address. */
  addNode(): Promise<{ readonly id: string; readonly peerAddress: string }>;
  /** Withdraws run.json and stops everything in order; with a grace, no process gets longer than that. */
  stop(graceMs?: number): Promise<void>;
}

/** A fleet in the making: `started` can be awaited, `stop` works at any moment and leaves nothing running. */
export interface FleetStart {
  readonly started: Promise<RunningFleet>;
  stop(graceMs?: number): Promise<void>;
  /** Ends everything at once, without order. */
  kill(): void;
}

/** Starts servers, migrations and services. Rejects with FleetError, with nothing left running. */
export async function startFleet(options: FleetOptions): Promise<RunningFleet> {
  return beginFleet(options).started;
}

/** As `startFleet`, for callers that may have to stop before everything is up. */
export function beginFleet(options: FleetOptions): FleetStart {
  const state = StateDir.open(options.stateDir);
  lock(state, 'fleet');
  let describe: (() => RunFile) | undefined;
  const supervisor = new Supervisor(
    state.path,
    (event) => {
      // A restarted process has another pid.
      if (event.type === 'restarted' && describe !== undefined) publishRun(state, describe());
      options.onEvent?.(event);
    },
    options.restartLongestMs,
  );
  let miner: AutoMiner | undefined;
  let stopped: Promise<void> | undefined;
  const stop = (graceMs?: number): Promise<void> => {
    stopped ??= (async () => {
      describe = undefined;
      withdrawRun(state);
      miner?.stop();
      forgetServers(state);
      await supervisor.stopAll(graceMs);
      releaseLocks(state);
    })();
    return stopped;
  };
  const start = async (): Promise<RunningFleet> => {
    try {
      withdrawRun(state); // of a run that was killed
      const { settings: first, connections } = await prepare(options, state, supervisor);
      let settings = first;
      const services = await startServices(settings, supervisor, options);
      if (isRegtest(settings.network) && options.mine !== false) {
        miner = new AutoMiner(connections.bitcoin.rpcUrl);
        miner.start();
      }
      describe = () => describeRun(settings, services, supervisor);
      const run = describe();
      publishRun(state, run);
      const addNode = async (): Promise<RunFile['nodes'][number]> => {
        const larger = { ...settings, nodes: settings.nodes + 1 };
        const stages = planServices(larger);
        const plan = stages.flat().at(-1);
        if (plan?.peerHost === undefined) throw new RangeError('the last service of a plan is a node');
        const further = withFurther(plan, options, stages, services);
        services.set(plan.name, await startService(further, larger, supervisor, options));
        settings = larger;
        publishRun(state, describeRun(settings, services, supervisor));
        return describeNode(plan.name, plan.peerHost, services.get(plan.name));
      };
      const urlOf = (name: string): string => `http://127.0.0.1:${services.get(name)?.http}`;
      return { state, run, supervisor, miner, urlOf, addNode, stop };
    } catch (thrown) {
      await stop();
      throw thrown;
    }
  };
  return { started: start(), stop, kill: () => supervisor.killAll() };
}

/** Where each started service is reached. */
type Addresses = Map<string, ServicePorts>;

async function prepare(
  options: FleetOptions,
  state: StateDir,
  supervisor: Supervisor,
): Promise<{ settings: ServiceSettings; connections: Connections }> {
  const step = options.step ?? plainStep;
  const network = options.network ?? 'regtest';
  checkNetwork(state, network);
  const strays = await supervisor.endStrays();
  if (strays.length > 0) options.conversation?.say(`ended what a killed run had left: ${strays.join(', ')}`);
  const { env = process.env, bitcoinSettings = [] } = options;
  const context: ProviderContext = { state, supervisor, env, network, bitcoinSettings };
  const connections = await bringServers(context, options.conversation ?? silentConsent, step);
  const databases = await step(
    'migrations',
    () => migrate(connections.postgres.url, state),
    ({ applied }) => (applied === 0 ? 'up to date' : `${applied} applied`),
  );
  const { nodes = 1, copies = {}, contentRoots = [], remoteSigner = false } = options;
  const towerDatabase =
    options.tower === true
      ? await step(
          "the tower's database",
          () => towersOwn(connections.postgres.url),
          () => 'ready',
        )
      : undefined;
  const placed = { state, connections, databases, towerDatabase };
  const settings = { ...placed, network, nodes, copies, contentRoots, remoteSigner };
  return { settings, connections };
}

/** Keys, channels and books of one network are no use on another. */
function checkNetwork(state: StateDir, network: Network): void {
  const known = state.known.network;
  if (known === undefined) state.remember({ network });
  else if (known !== network) {
    throw new FleetError(
      'server-unsuitable',
      `the fleet in ${state.path} is not on ${network}`,
      `it was created for ${known}, and its keys and books are of that network`,
      `start it with --network ${known}, or another fleet with --state DIR`,
    );
  }
}

async function migrate(url: string, state: StateDir) {
  try {
    const applied = await deployMigrations(url);
    const roles = await deployRoles(url, rolePasswords(state));
    return { applied: applied.length, ...(roles ?? { chain: url, channel: url, market: url }) };
  } catch (thrown) {
    throw new FleetError('database-failed', 'the migrations failed', reasonOf(thrown), 'see the log of Postgres');
  }
}

/** A database beside the fleet's. Its tables are the same, and nobody else's. */
async function towersOwn(fleetUrl: string): Promise<string> {
  const url = await ensureDatabase(fleetUrl, `${new URL(fleetUrl).pathname.slice(1)}_tower`);
  try {
    await deployMigrations(url);
  } catch (thrown) {
    throw new FleetError(
      'database-failed',
      "the tower's migrations failed",
      reasonOf(thrown),
      'see the log of Postgres',
    );
  }
  return url;
}

async function startServices(
  settings: ServiceSettings,
  supervisor: Supervisor,
  options: FleetOptions,
): Promise<Addresses> {
  const step = options.step ?? plainStep;
  const addresses = new Map<string, ServicePorts>();
  const stages = planServices(settings);
  for (const stage of stages) {
    await Promise.all(
      stage.map((plan) =>
        step(
          plan.name,
          async () =>
            addresses.set(
              plan.name,
              await startService(withFurther(plan, options, stages, addresses), settings, supervisor, options),
            ),
          () => describeService(plan, addresses.get(plan.name)),
        ),
      ),
    );
  }
  return addresses;
}

/** What is known only while the fleet starts: where an earlier node's DHT is, and what the caller adds. */
function withFurther(
  plan: ServicePlan,
  { serviceEnv, env = process.env }: FleetOptions,
  stages: readonly (readonly ServicePlan[])[],
  addresses: Addresses,
): ServicePlan {
  const earlier = stages.flat().filter(({ name, peerHost }) => peerHost !== undefined && addresses.has(name));
  const bootstrap = earlier.map(({ name, peerHost }) => `${peerHost}:${addresses.get(name)?.peer}`);
  const joining = plan.peerHost === undefined || bootstrap.length === 0 ? {} : { DHT_BOOTSTRAP: bootstrap.join(',') };
  return { ...plan, env: { ...plan.env, ...joining, ...operators(plan, env), ...serviceEnv?.(plan.name) } };
}

const TREASURY_VARIABLES = ['TREASURY_ADDRESS', 'TREASURY_XPUB', 'TREASURY_FIRST_INDEX'] as const;

/** What a signer of its own is told beyond that. */
const SIGNER_VARIABLES = ['FEE_SAT_PER_DAY', 'LOWER_PAYMENTS_UNTIL', 'UNSURE_KEYS_SIGN_UNTIL'] as const;

/** Where earnings are swept to, and what a signer may sign, is the operator's to say: the environment is passed on. */
function operators({ app, env: { ROLE: role } }: ServicePlan, env: Readonly<Record<string, string | undefined>>) {
  if (app !== 'channel-service' || role === undefined || role === 'intake') return {};
  const names = [...TREASURY_VARIABLES, ...(role === 'signer' ? SIGNER_VARIABLES : [])];
  return Object.fromEntries(names.flatMap((name): [string, string][] => (env[name] ? [[name, env[name]]] : [])));
}

function startService(plan: ServicePlan, settings: ServiceSettings, supervisor: Supervisor, options: FleetOptions) {
  const logLevel = options.logLevel ?? 'info';
  return startOnFreePorts(plan.name, supervisor.logOf(plan.name), async () => {
    // Picked here rather than by the service, so that it comes back on the same ports after a crash.
    const ports = { http: await pickPort(), peer: plan.peerHost === undefined ? 0 : await pickPort(plan.peerHost) };
    return { outcome: await supervisor.start(serviceProcess(plan, settings, ports, logLevel)), connection: ports };
  });
}

function describeService(plan: ServicePlan, ports: ServicePorts | undefined): string {
  if (ports === undefined) return '';
  return plan.peerHost === undefined ? `http://127.0.0.1:${ports.http}` : `peers at ${plan.peerHost}:${ports.peer}`;
}

function describeNode(id: string, host: string, ports: ServicePorts | undefined): RunFile['nodes'][number] {
  return { id, peerAddress: `${host}:${ports?.peer}`, dhtAddress: `${host}:${ports?.peer}` };
}

function describeRun(settings: ServiceSettings, addresses: Addresses, supervisor: Supervisor): RunFile {
  const { state, connections, network } = settings;
  return {
    id: state.id,
    network,
    marketApi: { url: `http://127.0.0.1:${addresses.get('market-api')?.http}`, keyFile: apiKeyFile(state) },
    nodes: planServices(settings)
      .flat()
      .flatMap(({ name, peerHost }) =>
        peerHost === undefined ? [] : [describeNode(name, peerHost, addresses.get(name))],
      ),
    bitcoin: { rpcUrl: connections.bitcoin.rpcUrl, zmq: connections.bitcoin.zmq },
    postgres: connections.postgres.url,
    nats: connections.nats.url,
    natsMonitorUrls: connections.nats.monitorUrls,
    redis: connections.redis.url,
    processes: supervisor.summary(),
  };
}
