import { Fields, VectorError } from './fields.js';

/** What a file is, told by its content alone. */
export type VectorFile =
  | { readonly form: 'wire'; readonly content: Fields }
  | { readonly form: 'payment-channel'; readonly content: Fields }
  | { readonly form: 'scenarios'; readonly content: Fields }
  | { readonly form: 'transcript'; readonly lines: readonly Fields[] }
  | { readonly form: 'event-log'; readonly lines: readonly Fields[] }
  | { readonly form: 'torrent' }
  | { readonly form: 'documentation' }
  | { readonly form: 'unknown'; readonly reason: string };

export const WIRE_KEYS = ['messages', 'malformed', 'mDictionary'];
export const PAYMENT_CHANNEL_KEYS = [
  'redeemScripts',
  'malformedRedeemScripts',
  'contracts',
  'contractSizes',
  'contractFees',
  'settlements',
  'refunds',
  'paymentRegistration',
  'networks',
];

const unknown = (reason: string): VectorFile => ({ form: 'unknown', reason });

const hasAny = (content: Fields, keys: readonly string[]): boolean => keys.some((key) => content.has(key));

const ofObject = (content: Fields): VectorFile => {
  if (content.has('scenarios')) return { form: 'scenarios', content };
  if (hasAny(content, WIRE_KEYS)) return { form: 'wire', content };
  if (hasAny(content, PAYMENT_CHANNEL_KEYS)) return { form: 'payment-channel', content };
  return ofLines([content]);
};

/** A transcript's line opens a connection, carries bytes in a direction, or ends one. */
const isTranscriptLine = (line: Fields): boolean =>
  line.has('conn') && (line.has('dir') || line.has('open') || line.has('close'));

const ofLines = (lines: readonly Fields[]): VectorFile => {
  if (lines.some(isTranscriptLine)) return { form: 'transcript', lines };
  if (lines.length > 0 && lines.every((line) => line.has('event'))) return { form: 'event-log', lines };
  return unknown('JSON, but of no form that is known here');
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not one JSON value; the caller tries JSON Lines.
    return undefined;
  }
};

/** A bencoded dictionary with an `info` dictionary in it (BEP 3). */
const isTorrent = (bytes: Uint8Array): boolean => {
  const start = Buffer.from(bytes.subarray(0, 65_536)).toString('latin1');
  return /^d[0-9]+:/.test(start) && start.includes('4:infod');
};

/** Tells what the bytes of a file are. `name` only appears in messages. */
export const recognise = (bytes: Uint8Array, name: string): VectorFile => {
  if (isTorrent(bytes)) return { form: 'torrent' };
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (text === '') return unknown('empty');
  if (text.startsWith('# ')) return { form: 'documentation' };
  const whole = parseJson(text);
  try {
    if (Array.isArray(whole)) return ofObject(new Fields({ scenarios: whole }, name));
    if (whole !== undefined) return ofObject(new Fields(whole, name));
    return ofLines(linesOf(text, name));
  } catch (error) {
    if (error instanceof VectorError) return unknown(error.message);
    throw error;
  }
};

const linesOf = (text: string, name: string): Fields[] =>
  text
    .split(/\r?\n/)
    .map((line, at) => [line.trim(), at + 1] as const)
    .filter(([line]) => line !== '')
    .map(([line, at]) => {
      const value = parseJson(line);
      if (value === undefined) throw new VectorError(`line ${at} is neither JSON nor part of a JSON file`);
      return new Fields(value, `${name}:${at}`);
    });
