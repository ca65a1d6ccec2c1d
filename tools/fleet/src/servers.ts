import { bitcoinProvider, withZmq } from './providers/bitcoin.js';
import type { Connections } from './providers/connections.js';
import { natsProvider } from './providers/nats.js';
import { ensureDatabase, postgresProvider } from './providers/postgres.js';
import { provide, type Conversation, type Provided } from './providers/provide.js';
import type { Network, ProviderContext, ServerProvider } from './providers/provider.js';
import { redisProvider } from './providers/redis.js';
import { lock, releaseLocks } from './state/folder-lock.js';
import { forgetServers, recordedServers, recordServers } from './state/server-record.js';
import type { ProcessEvent } from './supervise/supervised-process.js';
import { Supervisor } from './supervise/supervisor.js';
import { StateDir } from './state/state-dir.js';

/** How each step of bringing the servers up is shown. */
export type RunStep = <T>(title: string, work: () => Promise<T>, describe: (result: T) => string) => Promise<T>;

/** Brings the four servers up, each as its provider can; the fleet's database exists afterwards. */
export async function bringServers(
  context: ProviderContext,
  conversation: Conversation,
  step: RunStep,
): Promise<Connections> {
  const running = recordedServers(context.state);
  // A folder whose servers somebody runs but has not announced is still being prepared.
  if (running === undefined) lock(context.state, 'servers');
  const bring = <C>(provider: ServerProvider<C>, existing: C | undefined): Promise<Provided<C>> =>
    step(
      provider.title,
      () => provide(provider, context, existing, conversation),
      ({ detail }) => detail,
    );
  const server = await bring(postgresProvider, running?.postgres);
  const postgres = { url: await ensureDatabase(server.connection.url, `seedfleet_${context.state.id}`) };
  const nats = await bring(natsProvider, running?.nats);
  const redis = await bring(redisProvider, running?.redis);
  const bitcoin = await bring(bitcoinProvider, running?.bitcoin);
  const connections = {
    postgres,
    nats: nats.connection,
    redis: redis.connection,
    bitcoin: await withZmq(bitcoin.connection),
  };
  if (running === undefined) recordServers(context.state, connections);
  return connections;
}

/** What `startServers` needs. */
export interface ServerOptions {
  readonly stateDir: string;
  readonly network?: Network;
  /** Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onEvent?: (event: ProcessEvent) => void;
  /** Further lines of the configuration of a Bitcoin node that is started here. */
  readonly bitcoinSettings?: readonly string[];
  /** Default: packages may be brought, nothing is said. */
  readonly conversation?: Conversation;
  readonly step?: RunStep;
}

/** Servers that answer. */
export interface RunningServers {
  readonly state: StateDir;
  readonly supervisor: Supervisor;
  readonly connections: Connections;
  /** Stops those that were started here. */
  stop(): Promise<void>;
}

/** Finds or brings Postgres, NATS, Redis and a Bitcoin node for a state folder. Throws FleetError; leaves nothing then. */
export async function startServers(options: ServerOptions): Promise<RunningServers> {
  const state = StateDir.open(options.stateDir);
  const supervisor = new Supervisor(state.path, options.onEvent ?? (() => undefined));
  const stop = async () => {
    forgetServers(state);
    await supervisor.stopAll();
    releaseLocks(state);
  };
  try {
    await supervisor.endStrays();
    const { env = process.env, network = 'regtest', bitcoinSettings = [] } = options;
    const context = { state, supervisor, env, network, bitcoinSettings };
    const connections = await bringServers(context, options.conversation ?? silentConsent, options.step ?? plainStep);
    return { state, supervisor, connections, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Finds or brings a Bitcoin node alone: a chain that several fleets of this machine meet on. Throws FleetError. */
export async function startBitcoin(options: ServerOptions): Promise<{
  readonly bitcoin: Connections['bitcoin'];
  stop(): Promise<void>;
}> {
  const state = StateDir.open(options.stateDir);
  const supervisor = new Supervisor(state.path, options.onEvent ?? (() => undefined));
  const stop = () => supervisor.stopAll();
  try {
    const { env = process.env, network = 'regtest', bitcoinSettings = [] } = options;
    const context = { state, supervisor, env, network, bitcoinSettings };
    const { connection } = await provide(bitcoinProvider, context, undefined, options.conversation ?? silentConsent);
    return { bitcoin: await withZmq(connection), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Nobody is asked and nothing is said: what is missing is brought. */
export const silentConsent: Conversation = { allow: () => Promise.resolve(true), say: () => undefined };

/** Steps that nobody watches. */
export const plainStep: RunStep = (_title, work) => work();
