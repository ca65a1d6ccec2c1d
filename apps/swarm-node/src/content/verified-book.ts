import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { MetainfoSummary } from './lazy-metainfo.js';

const note = z.object({
  infoHash: z.string(),
  /** Of the content when it was found good. */
  fingerprint: z.string(),
  /** Size of the .torrent file that the summary is of. */
  torrentBytes: z.int(),
  summary: z.object({
    infoHash: z.string(),
    name: z.string(),
    pieceLengthBytes: z.int(),
    pieceCount: z.int(),
    lastPieceLengthBytes: z.int(),
    totalLengthBytes: z.int(),
    multiFile: z.boolean(),
    isPrivate: z.boolean(),
    announce: z.array(z.string()),
  }),
});

/** What was found good, so that a restart neither reads content again nor parses thousands of .torrent files. */
export interface VerifiedNote {
  readonly fingerprint: string;
  readonly torrentBytes: number;
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
      const json = JSON.parse(line) as { infoHash?: unknown; fingerprint?: unknown };
      const parsed = note.safeParse(json);
      if (parsed.success) {
        const { infoHash, ...rest } = parsed.data;
        this.notes.set(infoHash, rest);
      } else if (typeof json.infoHash === 'string' && json.fingerprint === undefined) this.notes.delete(json.infoHash);
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

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
