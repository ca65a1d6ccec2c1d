import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { faultPoint } from '@seedfleet/service-kit';
import { nextLine, SigningLogError, type SigningEntry } from './log-lines.js';
import {
  begunSegments,
  endOf,
  filesOf,
  flush,
  forgetMemory,
  markEnded,
  memoryAt,
  readNewest,
  segmentFile,
  segmentsOf,
  writeMemory,
  type LogPosition,
} from './log-segments.js';
import type { SignedBefore } from './signed-before.js';

/** Entries that wait for the disk at once; far more than are asked for in the time of one flush. */
const MAX_WAITING = 10_000;

export interface LogLimits {
  /** From so many lines on a further segment is begun. */
  readonly segmentLines: number;
  /** How long a key is remembered after its last signature. */
  readonly keptForMs: number;
  readonly now?: () => number;
}

interface Waiting {
  readonly entry: SigningEntry;
  readonly done: (failure?: Error) => void;
}

interface Newest {
  readonly file: FileHandle;
  readonly lines: number;
  readonly at: LogPosition;
  /** Of all before it, and of what is remembered. */
  readonly olderBytes: number;
}

/**
 * An append-only log: one line per signature, its own hash and then its JSON, which holds the hash of the line before. What
 * was changed or taken out shows when it is read. Lines are on the disk before their signatures leave; those that come at
 * once share one flush. It is continued in another file now and then, so that a start reads the newest one alone.
 */
export class SigningLog {
  private waiting: Waiting[] = [];
  private flushing: Promise<void> = Promise.resolve();
  private isFlushing = false;
  private broken: SigningLogError | undefined;

  private constructor(
    private readonly path: string,
    private newest: Newest,
    private readonly limits: LogLimits,
    /** What has been signed. Whoever signs notes here what is on its way to the log; keys that are over are forgotten by the log. */
    readonly remembered: SignedBefore,
  ) {}

  /**
   * Opens the log, or begins it. A last line without its end was never answered and is cut off, as is a segment without a line.
   * @throws SigningLogError
   */
  static async open(
    path: string,
    { seedId, network }: { readonly seedId: string; readonly network: string },
    limits: LogLimits,
  ): Promise<SigningLog> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const segment = begunSegments(path).at(-1) ?? 1;
    const memory = memoryAt(path, segment);
    const check = (whose: typeof memory.whose): void => {
      if (whose === null || (whose.seedId === seedId && whose.network === network)) return;
      throw new SigningLogError(
        'signing-log-of-another-seed',
        `${path} is of seed ${whose.seedId} on ${whose.network}; this signer has seed ${seedId} on ${network}`,
      );
    };
    const read = readNewest(path, segment, memory, (line) => {
      if (line.kind === 'begun') check(line);
    });
    // Once its hash is known to be the one that is named: one that was changed belongs to nobody.
    check(memory.whose);
    const file = segmentFile(path, segment);
    // What an end was cut off of goes, so that lines begin where lines end.
    closeSync(openSync(file, 'a', 0o600));
    truncateSync(file, read.bytes);
    // A death may have come before the one before said that it has ended.
    if (segment > 1) markEnded(path, segment - 1, memory.place, (limits.now ?? Date.now)());
    for (const left of segmentsOf(path)) if (left > segment) rmSync(segmentFile(path, left));
    const { seq, head, bytes } = read;
    const olderBytes = filesOf(path).reduce((sum, each) => sum + statSync(each).size, -bytes);
    const at = { seq, head, bytes, segment };
    const newest = { file: await open(file, 'a', 0o600), lines: read.lines, at, olderBytes };
    const log = new SigningLog(path, newest, limits, memory.before);
    if (seq === 0) await log.append({ kind: 'begun', seedId, network });
    flush(dirname(path));
    return log;
  }

  /** What is on the disk. */
  get position(): LogPosition {
    return this.newest.at;
  }

  /** Of all of its files. */
  get bytes(): number {
    return this.newest.olderBytes + this.newest.at.bytes;
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
    await this.newest.file.close();
  }

  private async flush(): Promise<void> {
    this.isFlushing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        // Before anything of the batch is written: what fails here was given to nobody.
        if (this.newest.lines >= this.limits.segmentLines) await this.continueInAnother();
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

  /**
   * Ends a segment and begins the next: first what is remembered, whole under its name; then the file; then its first line, which
   * names what is remembered. A death in between leaves a segment without a line, which is none.
   */
  private async continueInAnother(): Promise<void> {
    const { file, at, olderBytes } = this.newest;
    const segment = at.segment + 1;
    faultPoint('signer.segment.before-memory');
    const end = endOf(this.path, at.segment, memoryAt(this.path, at.segment), this.limits.keptForMs);
    const { seq, head } = end.memory.place;
    if (seq !== at.seq || head !== at.head) throw this.writtenByOthers();
    writeMemory(this.path, segment, end.text);
    faultPoint('signer.segment.before-file');
    const path = segmentFile(this.path, segment);
    // Fails where it is there: another signer was quicker.
    const next = await open(path, 'ax', 0o600);
    const older = olderBytes + at.bytes + Buffer.byteLength(end.text);
    this.newest = { file: next, lines: 0, at: { seq, head, bytes: 0, segment }, olderBytes: older };
    faultPoint('signer.segment.before-line');
    const { overBeforeMs, memory } = end;
    await this.write([{ kind: 'continued', segment, memory: memory.hash, overBeforeMs }]);
    flush(dirname(path));
    faultPoint('signer.segment.after-line');
    await file.close();
    markEnded(this.path, at.segment, at, (this.limits.now ?? Date.now)());
    faultPoint('signer.segment.after-mark');
    this.newest = { ...this.newest, olderBytes: this.newest.olderBytes - forgetMemory(this.path, at.segment) };
    this.remembered.endBefore(overBeforeMs);
  }

  private async write(entries: readonly SigningEntry[]): Promise<void> {
    const { file, at } = this.newest;
    // Two signers on one file would each forget what the other has signed.
    const { size } = await file.stat();
    if (size !== at.bytes || existsSync(segmentFile(this.path, at.segment + 1))) throw this.writtenByOthers();
    let place = { seq: at.seq, head: at.head };
    let text = '';
    for (const each of entries) {
      const next = nextLine(place, each, (this.limits.now ?? Date.now)());
      ({ place } = next);
      text += next.text;
    }
    faultPoint('signer.log.before-write');
    await file.appendFile(text);
    faultPoint('signer.log.before-sync');
    await file.sync();
    faultPoint('signer.log.after-sync');
    const bytes = at.bytes + Buffer.byteLength(text);
    this.newest = { ...this.newest, lines: this.newest.lines + entries.length, at: { ...at, ...place, bytes } };
  }

  private writtenByOthers(): SigningLogError {
    return new SigningLogError('signing-log-unwritable', `${this.path}: somebody else has written to it`);
  }
}
