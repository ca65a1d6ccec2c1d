import type { DebianPackage } from '../packages/debian-package.js';
import type { StateDir } from '../state/state-dir.js';
import type { Supervisor } from '../supervise/supervisor.js';

/** The six networks of the payment channel; the Bitcoin Cash twins share a node kind with their namesakes. */
export const NETWORKS = [
  'mainnet',
  'testnet3',
  'regtest',
  'mainnet_bitcoin_cash',
  'testnet_bitcoin_cash',
  'regtest_bitcoin_cash',
] as const;

/** See NETWORKS. */
export type Network = (typeof NETWORKS)[number];

/** Whether blocks of this network are made on demand. */
export function isRegtest(network: Network): boolean {
  return network.startsWith('regtest');
}

/** What a provider may use. */
export interface ProviderContext {
  readonly state: StateDir;
  readonly supervisor: Supervisor;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly network: Network;
  /** Further lines of the configuration of a Bitcoin node that is started here. */
  readonly bitcoinSettings?: readonly string[];
}

/** The answer of a server that was asked whether it can be used. */
export type Probe =
  | { readonly ok: true; /** Product and version. */ readonly detail: string }
  /** Nothing answers, or not with the credentials given. */
  | { readonly ok: false; readonly code: 'unreachable'; readonly why: string }
  /** It answers but is of no use to a fleet. */
  | { readonly ok: false; readonly code: 'unsuitable'; readonly why: string };

/** The programs of one server on this machine. */
export interface Binaries {
  /** The folder that has them. */
  readonly folder: string;
  /** Product and version, for people. */
  readonly detail: string;
}

/** One kind of server: how to find, judge, bring and start it. C is how services reach it. */
export interface ServerProvider<C> {
  readonly name: 'postgres' | 'nats' | 'redis' | 'bitcoin';
  readonly title: string;
  /** The environment variable that names a server of the operator's own. */
  readonly variable: string;
  /** The connection that the environment names, if any. */
  fromEnvironment(context: ProviderContext): C | undefined;
  /** Asks the server. Takes a few seconds at most. */
  probe(connection: C, context: ProviderContext): Promise<Probe>;
  /** Suitable programs on this machine, if any. */
  findBinaries(context: ProviderContext): Promise<Binaries | undefined>;
  /** Where to get the programs when there are none; undefined when this server is never brought for this network. */
  packageFor(context: ProviderContext): DebianPackage | undefined;
  /** Why this network's server can't be started here at all, if so. */
  refusal(context: ProviderContext): { readonly why: string; readonly todo: string } | undefined;
  /** Starts the server on data kept in the state folder; returns once it answers. */
  start(binaries: Binaries, context: ProviderContext): Promise<C>;
}
