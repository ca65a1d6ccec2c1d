import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BuyerError, ExitCode, type AccessOptions, type DownloadOptions, type PeerAddress } from '@seedfleet/buyer';
import { USAGE } from './usage.js';

export interface DownloadArguments extends DownloadOptions {
  readonly command: 'download';
  readonly json: boolean;
  readonly torrentFile: string;
}

export interface RefundArguments extends AccessOptions {
  readonly command: 'refund';
  readonly json: boolean;
}

export type Arguments = DownloadArguments | RefundArguments | { readonly command: 'help' };

const DEFAULT_MAX_LOCK_UNITS = 20;
const DEFAULT_MAX_FEE_PER_KB_SAT = 1_024n;
const MAX_LOCK_UNITS = 65_535;
/** More peers than this are not dialled at once. */
const MAX_PEERS = 50;

const OPTIONS = {
  out: { type: 'string' },
  peer: { type: 'string', multiple: true },
  'max-price': { type: 'string' },
  'max-lock': { type: 'string' },
  'max-fee-per-kb': { type: 'string' },
  sellers: { type: 'string' },
  rpc: { type: 'string' },
  cookie: { type: 'string' },
  wallet: { type: 'string' },
  network: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function usageError(problem: string): BuyerError {
  return new BuyerError(ExitCode.usage, 'usage', `${problem}\n\n${USAGE}`);
}

/** Reads the command line. Relative paths are the caller's. Throws `BuyerError` with exit code 2. */
export function parseArguments(argv: readonly string[], environment: NodeJS.ProcessEnv, cwd: string): Arguments {
  const { values, positionals } = parse(argv);
  const command = positionals[0];
  if (values.help === true || command === 'help') return { command: 'help' };
  if (command === undefined) throw usageError('a command is needed');
  const from = (path: string): string => (isAbsolute(path) ? path : resolve(cwd, path));

  const rpcUrl = values.rpc ?? environment['BTC_RPC'];
  const cookie = values.cookie ?? environment['BTC_COOKIE'];
  const common = {
    rpcUrl: checkUrl(rpcUrl),
    cookieFile: cookie === undefined || cookie === '' ? undefined : from(cookie),
    walletDir: from(values.wallet ?? defaultWalletDir(environment)),
    network: values.network,
    json: values.json === true,
  };
  if (command === 'refund') {
    expectPositionals(positionals, 1, 'refund');
    return { command, ...common };
  }
  if (command !== 'download') throw usageError(`there is no command "${command}"`);
  expectPositionals(positionals, 2, 'download FILE.torrent');
  if (values.out === undefined) throw usageError('--out DIR is needed');
  const peers = (values.peer ?? []).map(parsePeer);
  if (peers.length === 0) throw usageError('--peer HOST:PORT is needed');
  if (peers.length > MAX_PEERS) throw usageError(`at most ${MAX_PEERS} peers`);
  const sellers = wholeNumber('--sellers', values.sellers ?? '1', 1, MAX_PEERS);
  return {
    command,
    ...common,
    torrentFile: from(positionals[1] ?? ''),
    outDir: from(values.out),
    peers,
    maxPriceSat: values['max-price'] === undefined ? undefined : satoshi('--max-price', values['max-price']),
    maxLockUnits: wholeNumber('--max-lock', values['max-lock'] ?? `${DEFAULT_MAX_LOCK_UNITS}`, 1, MAX_LOCK_UNITS),
    maxFeePerKbSat: satoshi('--max-fee-per-kb', values['max-fee-per-kb'] ?? `${DEFAULT_MAX_FEE_PER_KB_SAT}`),
    sellers,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (failure) {
    throw usageError(failure instanceof Error ? failure.message : String(failure));
  }
}

function expectPositionals(positionals: readonly string[], count: number, form: string): void {
  if (positionals.length < count) throw usageError(`the form is: ${form}`);
  if (positionals.length > count) throw usageError(`"${positionals[count]}" is one word too many`);
}

function checkUrl(url: string | undefined): string {
  if (url === undefined || url === '') throw usageError('--rpc URL (or BTC_RPC) is needed: the Bitcoin node to use');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usageError('--rpc is no http:// or https:// URL');
  }
  return url;
}

function defaultWalletDir(environment: NodeJS.ProcessEnv): string {
  const data = environment['XDG_DATA_HOME'];
  return join(data === undefined || data === '' ? join(homedir(), '.local', 'share') : data, 'seedfleet-leecher');
}

/** HOST:PORT, IPv6 addresses in brackets. */
function parsePeer(text: string): PeerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 0);
  if (host === undefined || port < 1 || port > 65_535) throw usageError(`--peer ${text}: the form is HOST:PORT`);
  return { host, port };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < min || value > max) throw usageError(`${name} is a whole number ${min}…${max}`);
  return value;
}

function satoshi(name: string, text: string): bigint {
  if (!/^\d{1,16}$/.test(text)) throw usageError(`${name} is a whole number of satoshi`);
  return BigInt(text);
}
