import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const note = z.object({
  /** Of the whole torrent: what the folder holds or will hold. */
  totalBytes: z.int().min(0),
  /** Since when nobody wants it here; null: it is wanted. */
  unwantedSinceMs: z.int().nullable(),
});

type Note = z.output<typeof note>;

const INFO_HASH = /^[0-9a-f]{40}$/;

export interface FetchedContentSettings {
  readonly folder: string;
  /** Most bytes of everything together; undefined: what the volume takes. */
  readonly quotaBytes: number | undefined;
  /** Bytes of the volume that are left free. */
  readonly keepFreeBytes: number;
  /** How long what nobody wants is kept, ms. */
  readonly keepMs: number;
  readonly nowMs: () => number;
  readonly onEvicted: (infoHash: string, bytes: number, why: 'room' | 'age') => void;
}

/**
 * Content that this node fetched, a folder per torrent with a note beside the data. Room is counted by the torrents' whole
 * sizes from the moment a fetch begins, so that fetches can't outgrow the quota together. What nobody wants here any more is
 * kept for a while, since placement may bring it back, and goes first when room is needed; what is wanted never goes.
 */
export class FetchedContent {
  private readonly notes = new Map<string, Note>();
  /** Bytes that fetches under way will still write. */
  private readonly expected = new Map<string, number>();
  private reserving: Promise<unknown> = Promise.resolve();

  private constructor(private readonly settings: FetchedContentSettings) {}

  /** Rejects when the disk does not let us. */
  static async open(settings: FetchedContentSettings): Promise<FetchedContent> {
    const fetched = new FetchedContent(settings);
    await mkdir(settings.folder, { recursive: true });
    for (const name of await readdir(settings.folder)) {
      if (!INFO_HASH.test(name)) continue;
      const text = await readFile(fetched.notePath(name), 'utf8').catch(() => '');
      const parsed = note.safeParse(jsonOf(text));
      // A folder without its note is left alone: nobody knows whose it is.
      if (parsed.success) fetched.notes.set(name, parsed.data);
    }
    return fetched;
  }

  /** Where the files of a torrent are, or will be. */
  dataOf(infoHash: string): string {
    return join(this.settings.folder, infoHash, 'data');
  }

  has(infoHash: string): boolean {
    return this.notes.has(infoHash);
  }

  get infoHashes(): string[] {
    return [...this.notes.keys()];
  }

  get heldBytes(): number {
    let sum = 0;
    for (const { totalBytes } of this.notes.values()) sum += totalBytes;
    return sum;
  }

  /** Takes room for a torrent, at the cost of what nobody wants. Undefined, or why there is none. */
  reserve(infoHash: string, totalBytes: number): Promise<string | undefined> {
    // One after another: two must not take the same room.
    const turn = this.reserving.then(() => this.makeRoom(infoHash, totalBytes));
    this.reserving = turn.catch(() => undefined);
    return turn;
  }

  /** A fetch will write so many bytes more. */
  expect(infoHash: string, bytes: number): void {
    if (bytes > 0) this.expected.set(infoHash, bytes);
    else this.expected.delete(infoHash);
  }

  /** So many of them are written. */
  arrived(infoHash: string, bytes: number): void {
    this.expect(infoHash, (this.expected.get(infoHash) ?? 0) - bytes);
  }

  private async makeRoom(infoHash: string, totalBytes: number): Promise<string | undefined> {
    const known = this.notes.get(infoHash);
    if (known !== undefined) {
      await this.write(infoHash, { totalBytes, unwantedSinceMs: null });
      return undefined;
    }
    const { quotaBytes, keepFreeBytes } = this.settings;
    for (;;) {
      const held = this.heldBytes;
      const overQuota = quotaBytes !== undefined && held + totalBytes > quotaBytes;
      const free = await this.freeBytes();
      if (!overQuota && totalBytes + keepFreeBytes <= free) break;
      const oldest = this.unwanted()[0];
      if (oldest === undefined) {
        if (overQuota) return `${held + totalBytes} of ${quotaBytes} bytes would be used`;
        return `${totalBytes} bytes and ${keepFreeBytes} to be left free, but ${free} are`;
      }
      await this.evict(oldest, 'room');
    }
    await mkdir(this.dataOf(infoHash), { recursive: true });
    this.expect(infoHash, totalBytes);
    await this.write(infoHash, { totalBytes, unwantedSinceMs: null });
    return undefined;
  }

  /** Nobody wants it here any more: it may go when room is needed or time is up. */
  async release(infoHash: string): Promise<void> {
    const known = this.notes.get(infoHash);
    if (known?.unwantedSinceMs !== null) return;
    await this.write(infoHash, { ...known, unwantedSinceMs: this.settings.nowMs() });
  }

  /** Deletes what was unwanted for too long. */
  async sweep(): Promise<void> {
    const { nowMs, keepMs } = this.settings;
    for (const infoHash of this.unwanted()) {
      if (nowMs() - (this.notes.get(infoHash)?.unwantedSinceMs ?? nowMs()) >= keepMs) await this.evict(infoHash, 'age');
    }
  }

  /** Deletes it now, wanted or not. Returns the bytes it was counted with. */
  async delete(infoHash: string): Promise<number> {
    const bytes = this.notes.get(infoHash)?.totalBytes ?? 0;
    await rm(join(this.settings.folder, infoHash), { recursive: true, force: true });
    this.notes.delete(infoHash);
    return bytes;
  }

  /** Oldest first. */
  private unwanted(): string[] {
    const since = (infoHash: string): number => this.notes.get(infoHash)?.unwantedSinceMs ?? Infinity;
    return this.infoHashes.filter((each) => since(each) !== Infinity).sort((a, b) => since(a) - since(b));
  }

  private async evict(infoHash: string, why: 'room' | 'age'): Promise<void> {
    this.settings.onEvicted(infoHash, await this.delete(infoHash), why);
  }

  /** Of the volume, without what fetches under way will still write. */
  private async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.settings.folder);
    let free = bavail * bsize;
    for (const bytes of this.expected.values()) free -= bytes;
    return Math.floor(free);
  }

  private notePath(infoHash: string): string {
    return join(this.settings.folder, infoHash, 'note.json');
  }

  private async write(infoHash: string, written: Note): Promise<void> {
    this.notes.set(infoHash, written);
    const path = this.notePath(infoHash);
    await writeFile(`${path}.new`, JSON.stringify(written));
    await rename(`${path}.new`, path);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
