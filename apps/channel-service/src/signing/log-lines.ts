import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

export const txidSchema = z.string().regex(/^[0-9a-f]{64}$/);
export const satSchema = z.string().regex(/^\d{1,16}$/);

const entry = z.discriminatedUnion('kind', [
  /** First line: whose log it is. */
  z.object({ kind: z.literal('begun'), seedId: z.string(), network: z.string() }),
  /**
   * The lines before are of a copy that was put back, or none are left: what was signed since is not among them. `sure`: whoever
   * put it back vouches for the settler, and nothing waits for that.
   */
  z.object({ kind: z.literal('restored'), sure: z.boolean().optional() }),
  /**
   * First line of each further segment: what is remembered of all before it, by the hash of the file that holds it, and since when
   * (milliseconds since 1970) a key must have signed something so as not to be over.
   */
  z.object({ kind: z.literal('continued'), segment: z.int().min(2), memory: txidSchema, overBeforeMs: z.int() }),
  /** Below the last line of a file that is continued in another: whoever finds this and no other has lost some. */
  z.object({ kind: z.literal('ended') }),
  z.object({
    kind: z.literal('settlement'),
    /** Contract key path, `epoch/index`. */
    path: z.string(),
    txid: txidSchema,
    /** Digest of everything that the channel's settlements depend on but the payment. */
    channel: txidSchema,
    k: z.int().min(0),
    /** The buyer's signature, DER, hex: what a restored database may have lost. */
    payment: z.string().max(150),
  }),
  /** `of` is what a child pays for, the settlement's txid. */
  z.object({ kind: z.literal('child'), txid: txidSchema, of: txidSchema, feeSat: satSchema }),
  z.object({ kind: z.enum(['sweep', 'split']), txid: txidSchema, feeSat: satSchema }),
]);

/** What is written of each signature before it is given. Satoshi are decimal strings. */
export type SigningEntry = z.output<typeof entry>;

const line = z.intersection(entry, z.object({ seq: z.int().min(1), at: z.iso.datetime(), previous: txidSchema }));

export type SigningLine = z.output<typeof line>;

export type SigningLogErrorCode =
  /** The log was changed or cut by somebody: nothing is signed on top of it. */
  | 'signing-log-broken'
  /** It belongs to another seed or network. */
  | 'signing-log-of-another-seed'
  /** Somebody else writes to it, or it can't be written. */
  | 'signing-log-unwritable';

export class SigningLogError extends Error {
  constructor(
    readonly code: SigningLogErrorCode,
    message: string,
  ) {
    super(message);
  }
}

const HASH_CHARACTERS = 64;
const READ_BYTES = 1 << 16;
/** A line is far shorter; more is no line of ours. */
const MAX_LINE_BYTES = 2_000;

/** Of a text, SHA-256, hex. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A place in the chain of lines. */
export interface ChainPlace {
  /** Number of the last line; 0: none. */
  readonly seq: number;
  /** Hash of the last line. */
  readonly head: string;
}

/** Before the first line. */
export const BEGINNING: ChainPlace = { seq: 0, head: '0'.repeat(HASH_CHARACTERS) };

export interface LinesRead extends ChainPlace {
  /** Of whole lines in the file. */
  readonly bytes: number;
  readonly lines: number;
  /** Whether it says below its last line that it is continued in another file. */
  readonly isEnded: boolean;
}

/** The text of the next line, and where the chain stands then. */
export function nextLine({ seq, head }: ChainPlace, entry: SigningEntry, atMs: number) {
  const json = JSON.stringify({ seq: seq + 1, at: new Date(atMs).toISOString(), previous: head, ...entry });
  const hash = hashOf(json);
  return { text: `${hash} ${json}\n`, place: { seq: seq + 1, head: hash } };
}

/**
 * What the first line of a file says, before anything is held against what comes before it. Null where it is no line, undefined where
 * the file has none: it is not there, or its first line has no end.
 */
export function firstLine(path: string): SigningLine | null | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(MAX_LINE_BYTES + 1);
    const read = readSync(file, start, 0, start.length, 0);
    const end = start.indexOf(0x0a);
    if (end === -1 || end >= read) return read > MAX_LINE_BYTES ? null : undefined;
    return lineOf(start.subarray(0, end).toString('utf8')) ?? null;
  } finally {
    closeSync(file);
  }
}

/** The last line that has an end, by itself, and where it ends; undefined where there is none. */
export function lastLine(path: string): { readonly line: SigningLine | undefined; readonly wholeBytes: number } {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, 2 * MAX_LINE_BYTES));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const end = tail.lastIndexOf(0x0a);
    const begin = end <= 0 ? 0 : tail.lastIndexOf(0x0a, end - 1) + 1;
    return {
      line: lineOf(tail.subarray(begin, Math.max(end, 0)).toString('utf8')),
      wholeBytes: size - tail.length + end + 1,
    };
  } finally {
    closeSync(file);
  }
}

/**
 * Reads the lines of one file that follow from a place; a last line that has no end is left out. A file that does not exist is
 * empty.
 * @throws SigningLogError at the first line that does not follow from those before it
 */
export function readLines(path: string, from: ChainPlace, onLine: (line: SigningLine) => void): LinesRead {
  let at: LinesRead = { ...from, bytes: 0, lines: 0, isEnded: false };
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (failure) {
    if ((failure as { code?: string }).code === 'ENOENT') return at;
    throw failure;
  }
  let rest = Buffer.alloc(0);
  try {
    const chunk = Buffer.alloc(READ_BYTES);
    for (let from = 0, read = 0; (read = readSync(file, chunk, 0, READ_BYTES, from)) > 0; from += read) {
      rest = Buffer.concat([rest, chunk.subarray(0, read)]);
      let begin = 0;
      for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a, begin)) {
        const text = rest.subarray(begin, end).toString('utf8');
        const parsed = parsedLine(text, at);
        if (parsed === undefined || at.isEnded) {
          throw new SigningLogError(
            'signing-log-broken',
            `${path}: line ${at.seq + 1} does not follow from the one before: it was changed, or lines are missing`,
          );
        }
        if (parsed.kind !== 'ended') onLine(parsed);
        // What says that there is another file is no link of the chain: that goes on in the other file.
        const isEnded = parsed.kind === 'ended';
        const length = end + 1 - begin;
        at = isEnded
          ? { ...at, isEnded }
          : {
              seq: parsed.seq,
              head: text.slice(0, HASH_CHARACTERS),
              bytes: at.bytes + length,
              lines: at.lines + 1,
              isEnded,
            };
        begin = end + 1;
      }
      rest = rest.subarray(begin);
      if (rest.length > MAX_LINE_BYTES) {
        throw new SigningLogError('signing-log-broken', `${path}: line ${at.seq + 1} has no end`);
      }
    }
  } finally {
    closeSync(file);
  }
  return at;
}

function parsedLine(text: string, { seq, head }: ChainPlace): SigningLine | undefined {
  const parsed = lineOf(text);
  return parsed?.seq === seq + 1 && parsed.previous === head ? parsed : undefined;
}

/** A line by itself: its hash is that of its text. */
function lineOf(text: string): SigningLine | undefined {
  const json = text.slice(HASH_CHARACTERS + 1);
  if (text[HASH_CHARACTERS] !== ' ' || text.slice(0, HASH_CHARACTERS) !== hashOf(json)) return undefined;
  try {
    const parsed = line.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
