import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccessOptions, DownloadOptions, PeerAddress } from '@seedfleet/buyer';
import { readConfiguration } from './configuration.js';
import { COMMANDS, OPTIONS, optionsOf, type CommandName, type OptionName, type OptionSpec } from './options.js';
import { shortUsage } from './usage.js';
import { checkUrl, pairOf, satoshi, usageError, wholeNumber } from './values.js';

/** How a command reaches its wallet. */
export interface Reaching {
  readonly access: AccessOptions;
  /** Where the passphrase is, if the seed needs one. */
  readonly passphraseFile: string | undefined;
  readonly json: boolean;
}

interface Buying extends Reaching {
  /** A path, a magnet link, or a link to a market. */
  readonly source: string;
  readonly buying: DownloadOptions;
  /** Whether trackers and the DHT are asked. */
  readonly search: boolean;
  /** Where to join the DHT; the usual nodes where absent. */
  readonly dhtBootstrap: readonly string[] | undefined;
  /** Not to ask before each contract. */
  readonly yes: boolean;
}

export type Arguments =
  | ({ readonly command: 'download' } & Buying)
  | ({ readonly command: 'stream'; readonly listen: PeerAddress } & Buying)
  | ({ readonly command: 'refund'; readonly watch: boolean } & Reaching)
  | ({ readonly command: 'wallet init'; readonly newPassphrase: boolean } & Reaching)
  | ({
      readonly command: 'wallet restore';
      readonly newPassphrase: boolean;
      readonly wordsFile: string | undefined;
      /** Unix seconds. */
      readonly sinceSec: number;
    } & Reaching)
  | ({ readonly command: 'wallet receive' | 'wallet balance' | 'wallet history' | 'wallet seed' } & Reaching)
  | ({
      readonly command: 'wallet send';
      readonly address: string;
      readonly amountSat: bigint | 'all';
      readonly ratePerKbSat: bigint | undefined;
      readonly targetBlocks: number;
    } & Reaching)
  | { readonly command: 'completion'; readonly shell: string }
  | { readonly command: 'help' | 'version' };

export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** Where relative paths begin. */
  readonly cwd: string;
  readonly nowSec: number;
}

type Values = { readonly [name in OptionName]?: string | boolean | readonly string[] };

const MAX_LOCK_UNITS = 65_535;
/** More peers than this are not dialled at once. */
const MAX_PEERS = 50;
const DEFAULT_LISTEN = '127.0.0.1:8090';
const RESTORE_DAYS = 60;
const DAY_SEC = 86_400;

/** Reads the command line. Relative paths are the caller's. Throws `BuyerError` with exit code 2. */
export function parseArguments(argv: readonly string[], { environment, cwd, nowSec }: Surroundings): Arguments {
  const { values: given, positionals } = parse(argv);
  if (given.help === true || positionals[0] === 'help') return { command: 'help' };
  if (given.version === true) return { command: 'version' };
  const { command, words } = commandOf(positionals);
  if (command === 'completion') return { command, shell: single(words, command) };
  const from = (path: string): string => (isAbsolute(path) ? path : resolve(cwd, path));
  const values: Values = { ...readConfiguration(text(given, 'config'), environment, from), ...given };
  expectAllowed(given, command);

  const reaching: Reaching = {
    access: {
      rpcUrl: checkUrl(
        text(values, 'rpc') ?? environment['BTC_RPC'],
        command !== 'wallet init' && command !== 'wallet seed',
      ),
      cookieFile: optionalPath(text(values, 'cookie') ?? environment['BTC_COOKIE'], from),
      walletDir: from(text(values, 'wallet') ?? defaultWalletDir(environment)),
      network: text(values, 'network'),
    },
    passphraseFile: optionalPath(text(values, 'passphrase-file'), from),
    json: values.json === true,
  };
  switch (command) {
    case 'download':
      return { command, ...reaching, ...buying(values, words, command, from) };
    case 'stream':
      return {
        command,
        ...reaching,
        ...buying(values, words, command, from),
        listen: pairOf('--listen', text(values, 'listen') ?? DEFAULT_LISTEN, 0),
      };
    case 'refund':
      none(words, command);
      return { command, ...reaching, watch: values.watch === true };
    case 'wallet init':
      none(words, command);
      return { command, ...reaching, newPassphrase: values['new-passphrase'] === true };
    case 'wallet restore':
      none(words, command);
      return {
        command,
        ...reaching,
        newPassphrase: values['new-passphrase'] === true,
        wordsFile: optionalPath(text(values, 'words-file'), from),
        sinceSec: day(text(values, 'since')) ?? nowSec - RESTORE_DAYS * DAY_SEC,
      };
    case 'wallet send':
      return { command, ...reaching, ...sending(values, words) };
    default:
      none(words, command);
      return { command, ...reaching };
  }
}

function buying(
  values: Values,
  words: readonly string[],
  command: 'download' | 'stream',
  from: (path: string) => string,
): Omit<Buying, keyof Reaching> {
  const source = single(words, command);
  const out = text(values, 'out');
  if (out === undefined && command === 'download') throw usageError('--out DIR is needed', shortUsage(command));
  const peers = list(values, 'peer').map((peer) => pairOf('--peer', peer, 1));
  if (peers.length > MAX_PEERS) throw usageError(`at most ${MAX_PEERS} peers`);
  const sat = (name: OptionName): bigint | undefined => satoshi(`--${name}`, text(values, name));
  return {
    source: /^(magnet:|https?:\/\/)/i.test(source) ? source : from(source),
    yes: values.yes === true,
    search: values['no-search'] !== true,
    dhtBootstrap: values['dht-bootstrap'] === undefined ? undefined : list(values, 'dht-bootstrap'),
    buying: {
      // A film that is watched once goes where temporary things go; a second look resumes from there.
      outDir: from(out ?? 'leecher-stream'),
      peers,
      maxPriceSat: sat('max-price'),
      maxPerGibSat: sat('max-per-gib'),
      maxTotalSat: sat('max-total'),
      budgetSat: sat('budget'),
      maxLockedSat: sat('max-locked'),
      maxLockUnits: wholeNumber('--max-lock', text(values, 'max-lock'), 1, MAX_LOCK_UNITS),
      maxFeePerKbSat: sat('max-fee-per-kb'),
      takeFree: values['no-free'] !== true,
      encryption: encryptionOf(text(values, 'encryption')),
      searchMs: milliseconds(wholeNumber('--wait', text(values, 'wait'), 1, 604_800)),
      silenceMs: milliseconds(wholeNumber('--patience', text(values, 'patience'), 1, 86_400)),
      sellers: wholeNumber('--sellers', text(values, 'sellers'), 1, MAX_PEERS),
    },
  };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}

function encryptionOf(word: string | undefined): DownloadOptions['encryption'] {
  if (word === undefined || word === 'off' || word === 'prefer' || word === 'require') return word;
  throw usageError('--encryption is off, prefer or require');
}

function sending(values: Values, words: readonly string[]) {
  const [address, amount] = words;
  if (address === undefined || amount === undefined || words.length > 2) {
    throw usageError(`the form is: ${COMMANDS['wallet send'].form}`);
  }
  const perVbyte = satoshi('--fee-rate', text(values, 'fee-rate'));
  return {
    address,
    amountSat: amount === 'all' ? ('all' as const) : (satoshi('the amount', amount) ?? 0n),
    ratePerKbSat: perVbyte === undefined ? undefined : perVbyte * 1_000n,
    targetBlocks: wholeNumber('--fee-target', text(values, 'fee-target'), 1, 1_008) ?? 6,
  };
}

function parse(argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, spec]: [string, OptionSpec]) => [
      name,
      { type: spec.value === undefined ? ('boolean' as const) : ('string' as const), multiple: spec.multiple === true },
    ]),
  );
  try {
    const help = { type: 'boolean' as const, short: 'h' };
    const version = { type: 'boolean' as const };
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...options, help, version },
      allowPositionals: true,
    });
    return { values: values as Values & { readonly help?: boolean; readonly version?: boolean }, positionals };
  } catch (failure) {
    throw usageError(failure instanceof Error ? failure.message : String(failure));
  }
}

function commandOf(positionals: readonly string[]): { command: CommandName; words: readonly string[] } {
  const [first, second] = positionals;
  if (first === undefined) throw usageError('a command is needed');
  const two = `${first} ${second ?? ''}`.trim();
  if (Object.hasOwn(COMMANDS, two))
    return { command: two as CommandName, words: positionals.slice(two.includes(' ') ? 2 : 1) };
  if (Object.hasOwn(COMMANDS, first)) return { command: first as CommandName, words: positionals.slice(1) };
  throw usageError(`there is no command "${two}"`);
}

/** An option that would be ignored is a misunderstanding about money. */
function expectAllowed(given: Values, command: CommandName): void {
  const allowed = new Set<string>([...optionsOf(command), 'help', 'version']);
  const stray = Object.keys(given).find((name) => !allowed.has(name));
  if (stray !== undefined) throw usageError(`--${stray} means nothing to ${command}`, shortUsage(command));
}

function single(words: readonly string[], command: CommandName): string {
  const [word] = words;
  if (word === undefined) throw usageError(`the form is: ${COMMANDS[command].form}`);
  if (words.length > 1) throw usageError(`"${words[1]}" is one word too many`);
  return word;
}

function none(words: readonly string[], command: CommandName): void {
  if (words.length > 0) throw usageError(`"${words[0]}" is one word too many; the form is: ${COMMANDS[command].form}`);
}

function text(values: Values, name: OptionName): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

function list(values: Values, name: OptionName): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

function optionalPath(path: string | undefined, from: (path: string) => string): string | undefined {
  return path === undefined || path === '' ? undefined : from(path);
}

function day(date: string | undefined): number | undefined {
  if (date === undefined) return undefined;
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw usageError('--since is a day, as 2026-01-31');
  return ms / 1_000;
}

function defaultWalletDir(environment: NodeJS.ProcessEnv): string {
  const data = environment['XDG_DATA_HOME'];
  return join(data === undefined || data === '' ? join(homedir(), '.local', 'share') : data, 'seedfleet-leecher');
}
