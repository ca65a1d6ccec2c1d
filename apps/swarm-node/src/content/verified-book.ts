import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { summaryOf, type MetainfoSummary } from './lazy-metainfo.js';

/** What was found good, so that a restart neither reads content again nor parses thousands of .torrent files. */
export interface VerifiedNote {
  /** Of the content when it was found good. */
  readonly fingerprint: string;
  readonly summary: MetainfoSummary;
}

/** Lines beyond the notes themselves after which the file is written anew. */
const SPARE_LINES = 10_000;

/**
 * One journal of all notes, read in one go at the start: a line per verified torrent, and `{"infoHash":…}` alone where one
 * was withdrawn. A line that can't be read, such as one cut off by a crash, counts as absent.
 */
export class VerifiedBook {
  private readonly notes = new Map<string, VerifiedNote>();
  private lines = 0;
  /** The last line was cut off: the next one must not continue it. */
  private torn = false;

  private constructor(private readonly path: string) {}

  static open(path: string): VerifiedBook {
    const book = new VerifiedBook(path);
    const text = textOf(path);
    for (const line of text.split('\n')) if (line !== '') book.read(line);
    book.torn = text !== '' && !text.endsWith('\n');
    return book;
  }

  infoHashes(): IterableIterator<string> {
    return this.notes.keys();
  }

  get(infoHash: string): VerifiedNote | undefined {
    return this.notes.get(infoHash);
  }

  /** Throws what the file system says; the note holds for this process all the same. */
  add(added: VerifiedNote): void {
    const { infoHash } = added.summary;
    this.notes.set(infoHash, added);
    this.write({ infoHash, ...added });
  }

  remove(infoHash: string): void {
    if (this.notes.delete(infoHash)) this.write({ infoHash });
  }

  private read(line: string): void {
    this.lines += 1;
    try {
      const json = JSON.parse(line) as { infoHash?: unknown; fingerprint?: unknown; summary?: unknown };
      const read = noteOf(json);
      if (read !== undefined) this.notes.set(read.summary.infoHash, read);
      else if (typeof json.infoHash === 'string' && json.fingerprint === undefined) this.notes.delete(json.infoHash);
    } catch {
      // Cut off: absent.
    }
  }

  private write(line: object): void {
    this.lines += 1;
    if (this.lines <= SPARE_LINES + 2 * this.notes.size) {
      appendFileSync(this.path, `${this.torn ? '\n' : ''}${JSON.stringify(line)}\n`);
      this.torn = false;
      return;
    }
    const all = [...this.notes].map(([infoHash, kept]) => `${JSON.stringify({ infoHash, ...kept })}\n`);
    writeFileSync(`${this.path}.new`, all.join(''));
    renameSync(`${this.path}.new`, this.path);
    this.lines = this.notes.size;
  }
}

const NUMBERS = ['pieceLengthBytes', 'pieceCount', 'lastPieceLengthBytes', 'totalLengthBytes'] as const;

/** Looked at by hand: thousands of notes are read before a node sells anything. */
function noteOf({ fingerprint, summary }: { fingerprint?: unknown; summary?: unknown }): VerifiedNote | undefined {
  if (typeof fingerprint !== 'string' || typeof summary !== 'object' || summary === null) return undefined;
  const fields = summary as Partial<Record<keyof MetainfoSummary, unknown>>;
  const isSound =
    typeof fields.infoHash === 'string' &&
    typeof fields.name === 'string' &&
    typeof fields.multiFile === 'boolean' &&
    typeof fields.isPrivate === 'boolean' &&
    Array.isArray(fields.announce) &&
    fields.announce.every((url) => typeof url === 'string') &&
    NUMBERS.every((name) => Number.isSafeInteger(fields[name]));
  return isSound ? { fingerprint, summary: summaryOf(summary as MetainfoSummary) } : undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
