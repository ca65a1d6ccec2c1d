import { readFileSync } from 'node:fs';
import { parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';

interface Entry {
  readonly metainfo: Metainfo;
  readonly bytes: number;
}

/** Parsed files need about as much again for what was taken out of them. */
const PARSED_FACTOR = 2;

/** The .torrent files of the torrents that are in use now, read when they are first wanted, for a bounded memory. */
export class MetainfoCache {
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private held = 0;

  /** @param pathOf the .torrent file of an infohash, lowercase hex. */
  constructor(
    private readonly pathOf: (infoHash: string) => string,
    private readonly maxBytes: number,
  ) {}

  /** Bytes held, by estimate. */
  get heldBytes(): number {
    return this.held;
  }

  /** Reads at once, which takes the system's cache a fraction of a millisecond; undefined when that is not possible. */
  get(infoHash: string): Metainfo | undefined {
    const known = this.entries.get(infoHash);
    if (known !== undefined) {
      this.entries.delete(infoHash);
      this.entries.set(infoHash, known);
      return known.metainfo;
    }
    const read = this.read(infoHash);
    if (read !== undefined) this.keep(infoHash, read);
    return read?.metainfo;
  }

  forget(infoHash: string): void {
    this.held -= this.entries.get(infoHash)?.bytes ?? 0;
    this.entries.delete(infoHash);
  }

  private read(infoHash: string): Entry | undefined {
    try {
      const bytes = readFileSync(this.pathOf(infoHash));
      const parsed = parseMetainfo(bytes);
      if (!parsed.ok || parsed.value.infoHash !== infoHash) return undefined;
      return { metainfo: parsed.value, bytes: bytes.length * PARSED_FACTOR };
    } catch {
      return undefined;
    }
  }

  /** The newest stays even if it is larger than the bound: it is in use. */
  private keep(infoHash: string, entry: Entry): void {
    this.entries.set(infoHash, entry);
    this.held += entry.bytes;
    for (const oldest of this.entries.keys()) {
      if (this.held <= this.maxBytes || oldest === infoHash) break;
      this.forget(oldest);
    }
  }
}
