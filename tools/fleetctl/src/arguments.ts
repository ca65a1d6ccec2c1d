import { parseArgs, type ParseArgsConfig } from 'node:util';
import { Failure } from './failure.js';

/** Options of all commands, as they were written. */
const OPTIONS = {
  state: { type: 'string' },
  api: { type: 'string' },
  'key-file': { type: 'string' },
  json: { type: 'boolean' },
  text: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  content: { type: 'string' },
  name: { type: 'string' },
  'piece-length': { type: 'string' },
  private: { type: 'boolean' },
  label: { type: 'string', multiple: true },
  wait: { type: 'boolean' },
  'state-of': { type: 'string' },
  'in-state': { type: 'string', multiple: true },
  torrent: { type: 'string' },
  limit: { type: 'string' },
  price: { type: 'string' },
  'per-piece': { type: 'string' },
  'per-mib': { type: 'string' },
  formula: { type: 'string' },
  reprice: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  tier: { type: 'string' },
  search: { type: 'string' },
  sort: { type: 'string' },
  all: { type: 'boolean' },
  available: { type: 'boolean' },
  from: { type: 'string' },
  to: { type: 'string' },
  node: { type: 'string' },
  buyer: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  bandwidth: { type: 'string' },
  disk: { type: 'string' },
  lock: { type: 'string' },
  'settlement-fee': { type: 'string' },
  'min-fee-per-kb': { type: 'string' },
  'max-sellers': { type: 'string' },
  'free-per-day': { type: 'string' },
  'free-per-peer': { type: 'string' },
  scope: { type: 'string', multiple: true },
  expires: { type: 'string' },
  'and-made': { type: 'boolean' },
  kind: { type: 'string', multiple: true },
  description: { type: 'string' },
  url: { type: 'string' },
  follow: { type: 'boolean' },
  actor: { type: 'string' },
  action: { type: 'string' },
  target: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  why: { type: 'string' },
  'delete-content': { type: 'boolean' },
  without: { type: 'string', multiple: true },
  'in-force': { type: 'boolean' },
  days: { type: 'string' },
  by: { type: 'string' },
  count: { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

export type OptionName = keyof typeof OPTIONS;

/** For the completion of shells. */
export const OPTION_NAMES = Object.keys(OPTIONS);

const GLOBAL: readonly OptionName[] = ['state', 'api', 'key-file', 'json', 'text', 'help'];

export type OptionValues = ReturnType<typeof parse>['values'];

export interface CommandLine {
  /** The words before and between options: command and operands. */
  readonly words: readonly string[];
  readonly options: OptionValues;
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

/** Throws a usage failure for unknown options and missing values. */
export function readCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values, positionals } = parse(args);
    return { words: positionals, options: values };
  } catch (thrown) {
    throw new Failure('usage', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Refuses options that a command does not have. */
export function allowOptions(options: OptionValues, own: readonly OptionName[]): void {
  for (const name of Object.keys(options) as OptionName[]) {
    if (!GLOBAL.includes(name) && !own.includes(name)) throw new Failure('usage', `--${name} does not belong here`);
  }
}

export function required(options: OptionValues, name: 'content' | 'price' | 'key-file'): string {
  const value = options[name];
  if (value === undefined) throw new Failure('usage', `--${name} is missing`);
  return value;
}

/** A count or amount: decimal digits, at most `max`. */
export function wholeNumber(text: string, name: string, max: number): number {
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value > max)
    throw new Failure('usage', `${name} must be a whole number up to ${max}`);
  return value;
}

/** Satoshi as the API takes them: a decimal string. */
export function satoshi(text: string, name: string): string {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) throw new Failure('usage', `${name} must be whole satoshi`);
  return text;
}

export function infoHash(text: string | undefined): string {
  if (text === undefined) throw new Failure('usage', 'which torrent? give its INFOHASH');
  if (!/^[0-9a-fA-F]{40}$/.test(text))
    throw new Failure('usage', `${text} is not an infohash of 40 hexadecimal digits`);
  return text.toLowerCase();
}

/** The question for rows of one state, where --state-of names one. */
export function ofState(options: OptionValues): URLSearchParams {
  const state = options['state-of'];
  return new URLSearchParams(state === undefined ? {} : { state });
}

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 1_000_000;

/** How many rows of a list to fetch. */
export function rowLimit(options: OptionValues): number {
  return options.limit === undefined ? DEFAULT_LIMIT : wholeNumber(options.limit, '--limit', MAX_LIMIT);
}
