import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { pieceLengthAt } from '../metainfo/metainfo.js';
import { failure, success, type Result } from '../result.js';
import { contentErrorFrom, type ContentError } from './errors.js';
import type { Content } from './location.js';
import { spansOfPiece } from './spans.js';

/** Most files a download keeps open. */
const MAX_OPEN_FILES = 32;
/** Brought to the disk while the download goes on, so that its end does not wait for all of it. */
const SYNC_BYTES = 64 * 1024 * 1024;

/**
 * Writes a download to disk. Files are created in full length but sparse, so that pieces may arrive in any order and a
 * later run can verify what is there and resume.
 */
export class ContentWriter {
  /** Open handles by path, least recently used first; as promises, so that two writers share one opening. */
  private readonly handles = new Map<string, Promise<FileHandle>>();
  private unsyncedBytes = 0;
  /** Syncing and closing of files, one after the other; never rejects. */
  private background: Promise<void> = Promise.resolve();
  private pendingInBackground = 0;
  /** The first failure of the background: what was written may not be on the disk. */
  private lost: ContentError | undefined;

  private constructor(
    private readonly content: Content,
    /** Files that were not there, or empty. */
    private readonly created: ReadonlySet<string>,
  ) {}

  /**
   * Creates folders and files where they are missing. A file that is longer than the torrent says is refused with
   * `file-longer`: it is somebody's, not a part of this download.
   */
  static async open(content: Content): Promise<Result<ContentWriter, ContentError>> {
    const created = new Set<string>();
    for (const file of content.location.files) {
      if (file.padding) continue;
      const before = await createSparse(file.path, file.lengthBytes);
      if (typeof before !== 'number') return failure(before);
      if (before === 0) created.add(file.path);
    }
    return success(new ContentWriter(content, created));
  }

  /** Whether nothing of a piece can be there, since `open` made all its files. */
  isNew(piece: number): boolean {
    const paths = spansOfPiece(this.content, piece).flatMap(({ path }) => (path === undefined ? [] : [path]));
    return paths.length > 0 && paths.every((path) => this.created.has(path));
  }

  /** Writes one whole, verified piece; `data` must have the piece's length. Returns what went wrong, or undefined. */
  async write(piece: number, data: Uint8Array): Promise<ContentError | undefined> {
    if (data.length !== pieceLengthAt(this.content.metainfo, piece))
      throw new RangeError(`piece ${piece}: wrong length`);
    let at = 0;
    for (const span of spansOfPiece(this.content, piece)) {
      if (span.path !== undefined) {
        // A disk that is slow with many small files must not leave all of them open.
        if (this.pendingInBackground >= MAX_OPEN_FILES) await this.background;
        try {
          const handle = await this.handleOf(span.path);
          await writeFully(handle, data.subarray(at, at + span.lengthBytes), span.fileOffsetBytes);
        } catch (error) {
          return { ...contentErrorFrom(error, 'write-failed', span.path), piece };
        }
      }
      at += span.lengthBytes;
    }
    this.unsyncedBytes += data.length;
    if (this.unsyncedBytes >= SYNC_BYTES && this.pendingInBackground === 0) {
      this.unsyncedBytes = 0;
      for (const [path, opening] of this.handles) this.later(path, async () => (await opening).datasync());
    }
    return undefined;
  }

  /** Brings everything to the disk and closes the files. Returns the first problem, or undefined. */
  async close(): Promise<ContentError | undefined> {
    for (const [path, opening] of this.handles) this.leave(path, opening);
    this.handles.clear();
    await this.background;
    return this.lost;
  }

  private leave(path: string, opening: Promise<FileHandle>): void {
    this.later(path, async () => {
      const handle = await opening;
      try {
        await handle.sync();
      } finally {
        // Waits for the writes in progress on the handle.
        await handle.close();
      }
    });
  }

  private later(path: string, work: () => Promise<void>): void {
    this.pendingInBackground += 1;
    this.background = this.background.then(work).then(
      () => void (this.pendingInBackground -= 1),
      (error: unknown) => {
        this.pendingInBackground -= 1;
        this.lost ??= contentErrorFrom(error, 'write-failed', path);
      },
    );
  }

  private handleOf(path: string): Promise<FileHandle> {
    const known = this.handles.get(path);
    if (known !== undefined) {
      this.handles.delete(path);
      this.handles.set(path, known);
      return known;
    }
    for (const [oldest, opening] of this.handles) {
      if (this.handles.size < MAX_OPEN_FILES) break;
      this.handles.delete(oldest);
      this.leave(oldest, opening);
    }
    const opening = open(path, 'r+');
    opening.catch(() => this.handles.delete(path));
    this.handles.set(path, opening);
    return opening;
  }
}

async function writeFully(handle: FileHandle, data: Uint8Array, positionBytes: number): Promise<void> {
  for (let at = 0; at < data.length;) {
    const { bytesWritten } = await handle.write(data, at, data.length - at, positionBytes + at);
    at += bytesWritten;
  }
}

/** Returns the length that was there before. */
async function createSparse(path: string, lengthBytes: number): Promise<ContentError | number> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
    try {
      const found = await handle.stat();
      if (!found.isFile()) return { code: 'not-a-file', path };
      if (found.size > lengthBytes) {
        return { code: 'file-longer', path, detail: `${found.size} instead of ${lengthBytes} bytes` };
      }
      if (found.size < lengthBytes) await handle.truncate(lengthBytes);
      return found.size;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return contentErrorFrom(error, 'write-failed', path);
  }
}
