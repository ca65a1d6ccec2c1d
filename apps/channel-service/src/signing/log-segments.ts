import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import {
  BEGINNING,
  firstLine,
  hashOf,
  lastLine,
  nextLine,
  readLines,
  SigningLogError,
  txidSchema,
  type ChainPlace,
  type LinesRead,
  type SigningLine,
} from './log-lines.js';
import { SignedBefore, writtenMemory } from './signed-before.js';

/*
 * A log is a file and its continuations: `signing.log`, `signing.log.2`, …. Beside each continuation lies what has to be
 * remembered of all before it (`signing.log.2.memory`), which its first line names by its hash: a signer starts from there. The memory
 * follows from the lines, so one that is lost is made anew from them.
 */

/** The first one has the log's own name. */
export const segmentFile = (log: string, segment: number): string => (segment === 1 ? log : `${log}.${segment}`);
const memoryFile = (log: string, segment: number): string => `${segmentFile(log, segment)}.memory`;

/** Numbers of the segments that have a line, and of the first; one that a crash left without is none. */
export function begunSegments(log: string): number[] {
  return segmentsOf(log).filter((segment) => segment === 1 || firstLine(segmentFile(log, segment)) !== undefined);
}

/** Numbers of the segments that are there, from the first on; empty where there is no log. */
export function segmentsOf(log: string): number[] {
  const folder = dirname(log);
  if (!existsSync(folder)) return [];
  const name = basename(log);
  return readdirSync(folder)
    .flatMap((file) => {
      if (file === name) return 1;
      const number = file.startsWith(`${name}.`) ? file.slice(name.length + 1) : '';
      return /^[1-9]\d{0,8}$/.test(number) && Number(number) > 1 ? Number(number) : [];
    })
    .sort((one, other) => one - other);
}

/** What is remembered at the beginning of a segment. */
export interface LogMemory {
  readonly before: SignedBefore;
  readonly place: ChainPlace;
  /** Of the first line; null before it is written. */
  readonly whose: { readonly seedId: string; readonly network: string } | null;
  /** SHA-256 of the file that holds it; empty before the first segment. */
  readonly hash: string;
}

const NOTHING = (): LogMemory => ({ before: new SignedBefore(), place: BEGINNING, whose: null, hash: '' });

const memoryText = z.object({
  version: z.literal(1),
  seedId: z.string(),
  network: z.string(),
  seq: z.int().min(1),
  head: txidSchema,
  signed: writtenMemory,
});

function written({ before, place, whose }: LogMemory): string {
  if (whose === null) throw new RangeError('a log that has no first line has nothing to remember');
  const { seedId, network } = whose;
  return `${JSON.stringify({ version: 1, seedId, network, ...place, signed: before.written() })}\n`;
}

function read(text: string, path: string): LogMemory {
  try {
    const { seedId, network, seq, head, signed } = memoryText.parse(JSON.parse(text));
    return {
      before: SignedBefore.of(signed),
      place: { seq, head },
      whose: { seedId, network },
      hash: hashOf(text),
    };
  } catch (thrown) {
    throw broken(`${path} can't be read: it was changed, or is of another version: ${String(thrown).slice(0, 200)}`);
  }
}

const broken = (what: string): SigningLogError => new SigningLogError('signing-log-broken', what);

/** Reads one segment on top of what is remembered before it, which becomes what is remembered after its lines. */
export function readSegment(
  log: string,
  segment: number,
  memory: LogMemory,
  onLine: (line: SigningLine) => void = () => undefined,
): LinesRead & { readonly whose: LogMemory['whose']; readonly firstAtMs: number } {
  const path = segmentFile(log, segment);
  let { whose } = memory;
  let firstAtMs = Infinity;
  const read = readLines(path, memory.place, (line) => {
    const isFirst = line.seq === memory.place.seq + 1;
    const begins = line.kind === 'begun' || line.kind === 'continued';
    const fits = line.kind === 'continued' ? line.segment === segment && line.memory === memory.hash : segment === 1;
    if (begins !== isFirst || (begins && !fits)) {
      throw broken(`${path}: line ${line.seq} is not what stands there: files were changed, or belong to other ones`);
    }
    const atMs = Date.parse(line.at);
    if (isFirst) firstAtMs = atMs;
    if (line.kind === 'begun') whose = { seedId: line.seedId, network: line.network };
    memory.before.note(line, atMs);
    onLine(line);
  });
  return { ...read, whose, firstAtMs };
}

/** Reads the newest segment as `readSegment`. One that says that it is continued is not the newest. @throws SigningLogError */
export function readNewest(log: string, segment: number, memory: LogMemory, onLine?: (line: SigningLine) => void) {
  const read = readSegment(log, segment, memory, onLine);
  if (read.isEnded)
    throw broken(`${segmentFile(log, segment)} is continued in ${segmentFile(log, segment + 1)}, which is missing`);
  return read;
}

/** Says below a segment that it is continued, once and whole: the next one has its first line. One that is kept elsewhere is left alone. */
export function markEnded(log: string, segment: number, place: ChainPlace, atMs: number): void {
  const path = segmentFile(log, segment);
  if (!existsSync(path)) return;
  const { line, wholeBytes } = lastLine(path);
  if (line?.kind === 'ended') return;
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, wholeBytes);
    writeSync(file, nextLine(place, { kind: 'ended' }, atMs).text, wholeBytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What is remembered where a segment has ended, and the text that holds it. */
export interface SegmentEnd {
  readonly text: string;
  readonly memory: LogMemory;
  /** Keys that signed nothing since then are over. */
  readonly overBeforeMs: number;
}

/**
 * @param keptForMs how long a key is remembered after its last signature, where the next segment does not say it: by the clock of
 *   this one's first line, so that what was signed in it stays, whatever the clock did meanwhile
 */
export function endOf(
  log: string,
  segment: number,
  memory: LogMemory,
  keptForMs: number,
  onLine?: (line: SigningLine) => void,
): SegmentEnd {
  const { seq, head, whose, firstAtMs } = readSegment(log, segment, memory, onLine);
  const next = firstLine(segmentFile(log, segment + 1));
  const overBeforeMs = next?.kind === 'continued' ? next.overBeforeMs : firstAtMs - keptForMs;
  memory.before.endBefore(overBeforeMs);
  const text = written({ before: memory.before, place: { seq, head }, whose, hash: '' });
  // Read as a start reads it, so that all who make it make the same.
  return { text, memory: read(text, memoryFile(log, segment + 1)), overBeforeMs };
}

/** What is remembered at the beginning of a segment: from its file, or from the lines before where that is lost. */
export function memoryAt(log: string, segment: number): LogMemory {
  if (segment === 1) return NOTHING();
  const path = memoryFile(log, segment);
  if (existsSync(path)) return read(readFileSync(path, 'utf8'), path);
  if (!existsSync(segmentFile(log, segment - 1))) throw broken(`${path} is missing, and what it was made from`);
  return endOf(log, segment - 1, memoryAt(log, segment - 1), 0).memory;
}

/** Puts the text there, whole or not at all. */
export function writeMemory(log: string, segment: number, text: string): void {
  const path = memoryFile(log, segment);
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', 0o600);
  try {
    for (let rest = Buffer.from(text); rest.length > 0; rest = rest.subarray(writeSync(file, rest)));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
  flush(dirname(path));
}

/** Removes what was remembered before a segment that is not the newest any more: nobody starts from there. Returns how long it was, bytes. */
export function forgetMemory(log: string, segment: number): number {
  const path = memoryFile(log, segment);
  if (!existsSync(path)) return 0;
  const { size } = statSync(path);
  rmSync(path);
  return size;
}

/** Where a log of several segments stands. */
export interface LogPosition extends ChainPlace {
  /** Of the newest segment that has a line; 1 where there is none. */
  readonly segment: number;
  /** Of its whole lines. */
  readonly bytes: number;
}

/**
 * Reads a log from its first line, holds each segment's memory against the lines, and says where it stands; a last line that has
 * no end is left out. One that does not exist is empty.
 * @throws SigningLogError at the first line that does not follow from those before it, and for a segment that is missing
 */
export function readSigningLog(log: string, onLine: (line: SigningLine) => void): LogPosition {
  const segments = begunSegments(log);
  const newest = segments.at(-1) ?? 1;
  let memory = NOTHING();
  for (let segment = 1; segment < newest; segment += 1) {
    if (!segments.includes(segment)) throw broken(`${segmentFile(log, segment)} is missing`);
    ({ memory } = endOf(log, segment, memory, 0, onLine));
    const path = memoryFile(log, segment + 1);
    if (existsSync(path) && hashOf(readFileSync(path, 'utf8')) !== memory.hash) {
      throw broken(`${path} is not what follows from the lines before it`);
    }
  }
  const { seq, head, bytes } = readNewest(log, newest, memory, onLine);
  return { seq, head, bytes, segment: newest };
}

/** Removes what is there of a log of that name. */
export function removeLog(log: string): void {
  for (const segment of segmentsOf(log)) {
    rmSync(segmentFile(log, segment), { force: true });
    rmSync(memoryFile(log, segment), { force: true });
  }
}

/** Copies a log, also beside a signer that writes: its last line may then have no end. Of one that has just ended the next is there. */
export function copyLog(from: string, to: string): void {
  const [first = 1] = segmentsOf(from);
  for (let segment = first; existsSync(segmentFile(from, segment)); segment += 1) {
    copyFileSync(segmentFile(from, segment), segmentFile(to, segment));
    if (existsSync(memoryFile(from, segment))) copyFileSync(memoryFile(from, segment), memoryFile(to, segment));
  }
}

/** Gives a log another name; the newest segment first: one without those before it is the whole log to a signer. */
export function renameLog(from: string, to: string): void {
  for (const segment of segmentsOf(from).reverse()) {
    if (existsSync(memoryFile(from, segment))) renameSync(memoryFile(from, segment), memoryFile(to, segment));
    renameSync(segmentFile(from, segment), segmentFile(to, segment));
    flush(dirname(to));
  }
}

/** Every file of a log, for whoever has to flush or count them. */
export function filesOf(log: string): string[] {
  return segmentsOf(log).flatMap((segment) => [
    segmentFile(log, segment),
    ...(existsSync(memoryFile(log, segment)) ? [memoryFile(log, segment)] : []),
  ]);
}

/** Of a file or a folder's names: what was written is on the disk afterwards. */
export function flush(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
