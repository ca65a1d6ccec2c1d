import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, truncateSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { faultPoint } from '@seedfleet/service-kit';
import { z } from 'zod';

const id = z.string().regex(/^[0-9a-f]{64}$/);
const sat = z.string().regex(/^\d{1,16}$/);

const entry = z.discriminatedUnion('kind', [
  /** First line: whose log it is. */
  z.object({ kind: z.literal('begun'), seedId: z.string(), network: z.string() }),
  /**
   * The lines before are of a copy that was put back, or none are left: what was signed since is not among them. `sure`: whoever
   * put it back vouches for the settler, and nothing waits for that.
   */
  z.object({ kind: z.literal('restored'), sure: z.boolean().optional() }),
  z.object({
    kind: z.literal('settlement'),
    /** Contract key path, `epoch/index`. */
    path: z.string(),
    txid: id,
    /** Digest of everything that the channel's settlements depend on but the payment. */
    channel: id,
    k: z.int().min(0),
    /** The buyer's signature, DER, hex: what a restored database may have lost. */
    payment: z.string().max(150),
  }),
  /** `of` is what a child pays for, the settlement's txid. */
  z.object({ kind: z.literal('child'), txid: id, of: id, feeSat: sat }),
  z.object({ kind: z.enum(['sweep', 'split']), txid: id, feeSat: sat }),
]);

/** What is written of each signature before it is given. Satoshi are decimal strings. */
export type SigningEntry = z.output<typeof entry>;

const line = z.intersection(entry, z.object({ seq: z.int().min(1), at: z.iso.datetime(), previous: id }));

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

const FIRST = '0'.repeat(64);
const HASH_CHARACTERS = 64;
const READ_BYTES = 1 << 16;
/** A line is far shorter; more is no line of ours. */
const MAX_LINE_BYTES = 2_000;
/** Entries that wait for the disk at once; far more than are asked for in the time of one flush. */
const MAX_WAITING = 10_000;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Where a log stands. */
export interface LogPosition {
  /** Number of the last line; 0: none. */
  readonly seq: number;
  /** Hash of the last line. */
  readonly head: string;
  readonly bytes: number;
}

interface Waiting {
  readonly entry: SigningEntry;
  readonly done: (failure?: Error) => void;
}

/**
 * An append-only file: one line per signature, its own hash and then its JSON, which holds the hash of the line before. What
 * was changed or taken out shows when it is read. Lines are on the disk before their signatures leave; those that come at
 * once share one flush.
 */
export class SigningLog {
  private waiting: Waiting[] = [];
  private flushing: Promise<void> = Promise.resolve();
  private isFlushing = false;
  private broken: SigningLogError | undefined;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private at: LogPosition,
    private readonly now: () => number,
  ) {}

  /**
   * Opens the log, or begins it. A last line without its end was never answered and is cut off.
   * @param onLine told of every line that is there, oldest first
   * @throws SigningLogError
   */
  static async open(
    path: string,
    { seedId, network }: { readonly seedId: string; readonly network: string },
    onLine: (line: SigningLine) => void,
    now: () => number = Date.now,
  ): Promise<SigningLog> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const at = readSigningLog(path, (each) => {
      if (each.seq === 1 && (each.kind !== 'begun' || each.seedId !== seedId || each.network !== network)) {
        const whose = each.kind === 'begun' ? `seed ${each.seedId} on ${each.network}` : 'nobody';
        throw new SigningLogError(
          'signing-log-of-another-seed',
          `${path} is of ${whose}; this signer has seed ${seedId} on ${network}`,
        );
      }
      onLine(each);
    });
    // What an end was cut off of goes, so that lines begin where lines end.
    closeSync(openSync(path, 'a', 0o600));
    truncateSync(path, at.bytes);
    const log = new SigningLog(path, await open(path, 'a', 0o600), at, now);
    if (at.seq === 0) {
      await log.append({ kind: 'begun', seedId, network });
      const folder = openSync(dirname(path), 'r');
      fsyncSync(folder);
      closeSync(folder);
    }
    return log;
  }

  /** What is on the disk. */
  get position(): LogPosition {
    return this.at;
  }

  /** Why nothing can be written any more; null while it can. */
  get fault(): string | null {
    return this.broken?.message ?? null;
  }

  /** Resolves once the entry is on the disk. Rejects, then and for ever, where it can't be written: a start reads it again. */
  append(appended: SigningEntry): Promise<void> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    if (this.waiting.length >= MAX_WAITING) {
      this.broken = new SigningLogError('signing-log-unwritable', `${this.path}: the disk does not keep up`);
      return Promise.reject(this.broken);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ entry: appended, done: (failure) => (failure === undefined ? resolve() : reject(failure)) });
      if (!this.isFlushing) this.flushing = this.flush();
    });
  }

  /** Resolves once everything that was appended is on the disk. */
  async settled(): Promise<void> {
    await this.flushing;
    if (this.broken !== undefined) throw this.broken;
  }

  async close(): Promise<void> {
    await this.flushing;
    await this.file.close();
  }

  private async flush(): Promise<void> {
    this.isFlushing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.write(batch.map((each) => each.entry));
        for (const { done } of batch) done();
      } catch (thrown) {
        this.broken =
          thrown instanceof SigningLogError
            ? thrown
            : new SigningLogError('signing-log-unwritable', `${this.path}: ${String(thrown)}`);
        for (const { done } of [...batch, ...this.waiting]) done(this.broken);
        this.waiting = [];
      }
    }
    // In the same step as the look at what waits: what comes after it begins a flush of its own.
    this.isFlushing = false;
  }

  private async write(entries: readonly SigningEntry[]): Promise<void> {
    // Two signers on one file would each forget what the other has signed.
    const { size } = await this.file.stat();
    if (size !== this.at.bytes) {
      throw new SigningLogError('signing-log-unwritable', `${this.path}: somebody else has written to it`);
    }
    let { seq, head } = this.at;
    let text = '';
    for (const each of entries) {
      seq += 1;
      const json = JSON.stringify({ seq, at: new Date(this.now()).toISOString(), previous: head, ...each });
      head = hashOf(json);
      text += `${head} ${json}\n`;
    }
    faultPoint('signer.log.before-write');
    await this.file.appendFile(text);
    faultPoint('signer.log.before-sync');
    await this.file.sync();
    faultPoint('signer.log.after-sync');
    this.at = { seq, head, bytes: this.at.bytes + Buffer.byteLength(text) };
  }
}

/**
 * Reads a log from its first line, and says where it stands; a last line that has no end is left out. One that does not exist is
 * empty.
 * @throws SigningLogError at the first line that does not follow from those before it
 */
export function readSigningLog(path: string, onLine: (line: SigningLine) => void): LogPosition {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (failure) {
    if ((failure as { code?: string }).code === 'ENOENT') return { seq: 0, head: FIRST, bytes: 0 };
    throw failure;
  }
  let at: LogPosition = { seq: 0, head: FIRST, bytes: 0 };
  let rest = Buffer.alloc(0);
  try {
    const chunk = Buffer.alloc(READ_BYTES);
    for (let from = 0, read = 0; (read = readSync(file, chunk, 0, READ_BYTES, from)) > 0; from += read) {
      rest = Buffer.concat([rest, chunk.subarray(0, read)]);
      let begin = 0;
      for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a, begin)) {
        const text = rest.subarray(begin, end).toString('utf8');
        const parsed = parsedLine(text, at);
        if (parsed === undefined) {
          throw new SigningLogError(
            'signing-log-broken',
            `${path}: line ${at.seq + 1} does not follow from the one before: it was changed, or lines are missing`,
          );
        }
        onLine(parsed);
        at = { seq: parsed.seq, head: text.slice(0, HASH_CHARACTERS), bytes: at.bytes + end + 1 - begin };
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

function parsedLine(text: string, { seq, head }: LogPosition): SigningLine | undefined {
  const json = text.slice(HASH_CHARACTERS + 1);
  if (text[HASH_CHARACTERS] !== ' ' || text.slice(0, HASH_CHARACTERS) !== hashOf(json)) return undefined;
  try {
    const parsed = line.safeParse(JSON.parse(json));
    return parsed.success && parsed.data.seq === seq + 1 && parsed.data.previous === head ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
