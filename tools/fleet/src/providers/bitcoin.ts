import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FleetError, reasonOf } from '../errors.js';
import { pickPort } from '../free-port.js';
import { plainEnvironment, runCommand } from '../run-command.js';
import { callRpc } from './bitcoin-rpc.js';
import type { BitcoinConnection } from './connections.js';
import { findProgram } from './find-program.js';
import {
  isRegtest,
  type Binaries,
  type Network,
  type Probe,
  type ProviderContext,
  type ServerProvider,
} from './provider.js';
import { prepareRegtest } from './regtest.js';
import { startOnFreePorts } from './start-server.js';

const USER = 'seedfleet';
/** Packages of transactions can be submitted since this version. */
const OLDEST_MAJOR = 26;

/** The names that a node gives to the chains behind the six networks. */
const CHAIN_OF: Readonly<Record<Network, string>> = {
  mainnet: 'main',
  testnet3: 'test',
  regtest: 'regtest',
  mainnet_bitcoin_cash: 'main',
  testnet_bitcoin_cash: 'test',
  regtest_bitcoin_cash: 'regtest',
};

/** A Bitcoin Core-compatible node; started here for regtest only. */
export const bitcoinProvider: ServerProvider<BitcoinConnection> = {
  name: 'bitcoin',
  title: 'Bitcoin node',
  variable: 'BTC_RPC',

  fromEnvironment({ env }) {
    const rpc = env['BTC_RPC'];
    if (!rpc) return undefined;
    const rpcUrl = withCookie(rpc, env['BTC_COOKIE']);
    const cookieFile = rpcUrl === rpc ? undefined : env['BTC_COOKIE'];
    return {
      rpcUrl,
      zmq: env['BTC_ZMQ'] ?? '',
      ...(cookieFile === undefined ? {} : { cookieFile: resolve(cookieFile) }),
    };
  },

  probe: ({ rpcUrl }, { network }) => probe(rpcUrl, network),

  async findBinaries({ env }) {
    const folder = findProgram('bitcoind', env['PATH']);
    if (folder === undefined) return undefined;
    const program = join(folder, 'bitcoind');
    const { output } = await runCommand(program, ['-version'], { timeoutMs: 10_000 });
    const version = /version v(\d+)\.\S*/.exec(output);
    return version !== null && Number(version[1]) >= OLDEST_MAJOR
      ? { folder, detail: `${output.split('\n')[0] ?? ''}, ${program}` }
      : undefined;
  },

  packageFor: () => ({
    suite: 'sid',
    name: 'bitcoin-knots',
    binaryFolder: 'usr/bin',
    binaries: ['bitcoind', 'bitcoin-cli'],
  }),

  refusal({ network }) {
    if (isRegtest(network)) return undefined;
    return {
      why: `a node for ${network} has to be synchronised first, which takes days: none is started here`,
      todo: 'name a synchronised node in BTC_RPC (with BTC_COOKIE or credentials in the URL) and its ZMQ address in BTC_ZMQ',
    };
  },

  start: (binaries, context) => start(binaries, context),
};

/**
 * The connection with the ZMQ address that the node itself names, where the environment named none. Empty when the node
 * publishes nothing, or on addresses that only it can reach.
 */
export async function withZmq(connection: BitcoinConnection): Promise<BitcoinConnection> {
  const { rpcUrl, zmq } = connection;
  if (zmq !== '') return connection;
  const published = await callRpc(rpcUrl, 'getzmqnotifications').catch(() => []);
  const blocks = (published as { type: string; address: string }[]).find(({ type }) => type === 'pubhashblock');
  if (blocks === undefined) return connection;
  // A node that listens on all its addresses is reached by the one of its RPC.
  return { ...connection, zmq: blocks.address.replace(/\/\/(0\.0\.0\.0|\*):/, `//${new URL(rpcUrl).hostname}:`) };
}

/** The address with the credentials of a cookie file, when the address has none of its own. */
export function withCookie(rpc: string, cookieFile: string | undefined): string {
  const url = new URL(rpc);
  if (url.username !== '' || !cookieFile) return rpc;
  try {
    const [user = '', password = ''] = readFileSync(cookieFile, 'utf8').trim().split(':');
    url.username = encodeURIComponent(user);
    url.password = encodeURIComponent(password);
    return url.href;
  } catch (thrown) {
    throw new FleetError(
      'server-unreachable',
      "the Bitcoin node's cookie can't be read",
      reasonOf(thrown),
      'correct BTC_COOKIE, or put user and password into BTC_RPC',
    );
  }
}

async function probe(rpcUrl: string, network: Network): Promise<Probe> {
  try {
    const chain = (await callRpc(rpcUrl, 'getblockchaininfo')) as { chain: string };
    if (chain.chain !== CHAIN_OF[network]) {
      return {
        ok: false,
        code: 'unsuitable',
        why: `it is on chain "${chain.chain}", not on ${CHAIN_OF[network]} as ${network} needs`,
      };
    }
    const { subversion } = (await callRpc(rpcUrl, 'getnetworkinfo')) as { subversion: string };
    return { ok: true, detail: subversion.replaceAll('/', ' ').trim() };
  } catch (thrown) {
    return { ok: false, code: 'unreachable', why: reasonOf(thrown) };
  }
}

async function start(binaries: Binaries, context: ProviderContext): Promise<BitcoinConnection> {
  const { state, supervisor, network, bitcoinSettings = [] } = context;
  const folder = state.folder('servers', 'bitcoin');
  const password = state.known.secrets.bitcoin;
  const connection = await startOnFreePorts('the Bitcoin node', supervisor.logOf('bitcoin'), async () => {
    const [rpcPort, zmqPort] = [await pickPort(), await pickPort()];
    const rpcUrl = `http://${USER}:${password}@127.0.0.1:${rpcPort}`;
    const zmq = `tcp://127.0.0.1:${zmqPort}`;
    const config = join(folder, 'bitcoin.conf');
    writeFileSync(config, configuration(rpcPort, zmq, password, bitcoinSettings), { mode: 0o600 });
    const outcome = await supervisor.start({
      name: 'bitcoin',
      command: join(binaries.folder, 'bitcoind'),
      args: [`-datadir=${folder}`, `-conf=${config}`, '-printtoconsole=1'],
      env: { ...plainEnvironment(), HOME: folder },
      cwd: '/',
      stopSignal: 'SIGTERM',
      // Flushing its databases can take a while on a slow disk.
      graceMs: 30_000,
      tier: 0,
      isReady: async () => (await probe(rpcUrl, network)).ok,
      readyTimeoutMs: 60_000,
    });
    return { outcome, connection: { rpcUrl, zmq } };
  });
  await prepareRegtest(connection.rpcUrl);
  return connection;
}

function configuration(rpcPort: number, zmq: string, password: string, settings: readonly string[]): string {
  return [
    'regtest=1',
    'server=1',
    'txindex=1',
    // There is no fee market on regtest to estimate from.
    'fallbackfee=0.00001',
    ...settings,
    // On its own: no peers, so no port for them either.
    '[regtest]',
    'listen=0',
    'dnsseed=0',
    `rpcport=${rpcPort}`,
    'rpcbind=127.0.0.1',
    'rpcallowip=127.0.0.1',
    `rpcauth=${rpcAuth(USER, password)}`,
    ...['rawtx', 'rawblock', 'hashblock', 'hashtx', 'sequence'].map((topic) => `zmqpub${topic}=${zmq}`),
    '',
  ].join('\n');
}

/** A user and salted password hash as `rpcauth` wants it (share/rpcauth in the Bitcoin Core sources). */
export function rpcAuth(user: string, password: string, salt: string = randomBytes(16).toString('hex')): string {
  return `${user}:${salt}$${createHmac('sha256', salt).update(password).digest('hex')}`;
}
