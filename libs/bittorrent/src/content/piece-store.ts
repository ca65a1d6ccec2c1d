import { pieceHashAt, pieceLengthAt } from '../metainfo/metainfo.js';
import { failure, success, type Result } from '../result.js';
import { BufferPool, type PieceMemory } from './buffer-pool.js';
import type { ContentError } from './errors.js';
import type { Content } from './location.js';
import { PieceLoader } from './piece-loader.js';
import { spansOfPiece } from './spans.js';

export interface PieceStoreOptions {
  /** Memory for pieces being read, sent and cached, over all torrents. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Threads that read and hash. Default 2: one keeps up with a sending thread, the second covers a slow disk. */
  readonly threads?: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
const DEFAULT_THREADS = 2;

/** A verified piece in memory, shared with other holders: read-only, valid until released. */
export interface PieceLease {
  readonly data: Uint8Array;
  /** Gives the memory back; further calls do nothing. */
  release(): void;
}

interface Entry {
  readonly key: string;
  holders: number;
  memory: PieceMemory | undefined;
  loaded: Promise<ContentError | undefined>;
}

/** Stands in until the read has begun. */
const NEVER_LOADED: Promise<ContentError | undefined> = Promise.resolve({ code: 'aborted' });

/**
 * Reads pieces for sale: each is hash-checked when it is read, one disk read serves everybody who waits for the piece,
 * and pieces stay in memory until it is needed for others (hazards H6, H33: buyers never time out, so a seller must
 * fail fast, and duplicates must not cost a read each).
 */
export class PieceStore {
  readonly loader: PieceLoader;
  private readonly pool: BufferPool;
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry>();

  constructor(options: PieceStoreOptions = {}) {
    this.loader = new PieceLoader(options.threads ?? DEFAULT_THREADS);
    this.pool = new BufferPool(
      options.maxBytes ?? DEFAULT_MAX_BYTES,
      () => this.evictOne(),
      () => this.oldestIdle() !== undefined,
    );
  }

  /** Bytes of piece memory held, whether in use or cached. */
  get allocatedBytes(): number {
    return this.pool.allocatedBytes;
  }

  /** Reads one piece, below `pieceCount`. The caller releases the lease once the bytes have left. Never rejects. */
  async read(content: Content, piece: number): Promise<Result<PieceLease, ContentError>> {
    const entry = this.entryFor(content, piece);
    entry.holders++;
    const problem = await entry.loaded;
    if (problem !== undefined || entry.memory === undefined) {
      entry.holders--;
      return failure({ piece, ...(problem ?? { code: 'aborted' }) });
    }
    let held = true;
    return success({
      data: entry.memory.bytes.subarray(0, pieceLengthAt(content.metainfo, piece)),
      release: () => {
        if (!held) return;
        held = false;
        this.leave(entry);
      },
    });
  }

  /**
   * Begins to read a piece that will probably be wanted soon, if memory is free or only cached. It counts as cached:
   * whoever needs the memory more gets it.
   */
  prefetch(content: Content, piece: number): void {
    if (this.entries.has(keyOf(content, piece)) || !this.pool.hasRoomFor(content.metainfo.pieceLengthBytes)) return;
    this.entryFor(content, piece);
  }

  /** Ends the threads. Leases stay readable; reads in progress fail with `aborted`. */
  async close(): Promise<void> {
    this.pool.close();
    await this.loader.close();
  }

  private entryFor(content: Content, piece: number): Entry {
    const key = keyOf(content, piece);
    const known = this.entries.get(key);
    if (known !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known;
    }
    const entry: Entry = { key, holders: 0, memory: undefined, loaded: NEVER_LOADED };
    this.entries.set(key, entry);
    entry.loaded = this.load(entry, content, piece);
    return entry;
  }

  private async load(entry: Entry, content: Content, piece: number): Promise<ContentError | undefined> {
    const memory = await this.pool.acquire(content.metainfo.pieceLengthBytes);
    if (memory === undefined) {
      this.entries.delete(entry.key);
      return { code: 'busy' };
    }
    const problem = await this.readInto(memory, content, piece);
    if (problem === undefined) {
      entry.memory = memory;
      return undefined;
    }
    this.entries.delete(entry.key);
    this.pool.release(memory);
    return problem;
  }

  private readInto(memory: PieceMemory, content: Content, piece: number): Promise<ContentError | undefined> {
    try {
      return this.loader.load({
        memory: memory.shared,
        lengthBytes: pieceLengthAt(content.metainfo, piece),
        spans: spansOfPiece(content, piece),
        expectedHash: pieceHashAt(content.metainfo, piece),
        priority: 'sale',
      });
    } catch (failure) {
      // A file list that does not reach so far: it may be read from a disk that fails.
      return Promise.resolve({ code: 'read-failed', piece, detail: String(failure) });
    }
  }

  private leave(entry: Entry): void {
    entry.holders--;
    if (entry.holders === 0) this.pool.serveWaiting();
  }

  /** Drops the piece that was used longest ago and that nobody holds. */
  private evictOne(): PieceMemory | undefined {
    const entry = this.oldestIdle();
    if (entry !== undefined) this.entries.delete(entry.key);
    return entry?.memory;
  }

  private oldestIdle(): Entry | undefined {
    for (const entry of this.entries.values()) if (entry.holders === 0 && entry.memory !== undefined) return entry;
    return undefined;
  }
}

function keyOf(content: Content, piece: number): string {
  return `${content.metainfo.infoHash}/${piece}`;
}
