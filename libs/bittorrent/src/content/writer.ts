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

/**
 * Writes a download to disk. Files are created in full length but sparse, so that pieces may arrive in any order and a
 * later run can verify what is there and resume.
 */
export class ContentWriter {
  /** Open handles by path, least recently used first; as promises, so that two writers share one opening. */
  private readonly handles = new Map<string, Promise<FileHandle>>();

  private constructor(private readonly content: Content) {}

  /**
   * Creates folders and files where they are missing. A file that is longer than the torrent says is refused with
   * `file-longer`: it is somebody's, not a part of this download.
   */
  static async open(content: Content): Promise<Result<ContentWriter, ContentError>> {
    for (const file of content.location.files) {
      if (file.padding) continue;
      const problem = await createSparse(file.path, file.lengthBytes);
      if (problem !== undefined) return failure(problem);
    }
    return success(new ContentWriter(content));
  }

  /** Writes one whole, verified piece; `data` must have the piece's length. Returns what went wrong, or undefined. */
  async write(piece: number, data: Uint8Array): Promise<ContentError | undefined> {
    if (data.length !== pieceLengthAt(this.content.metainfo, piece))
      throw new RangeError(`piece ${piece}: wrong length`);
    let at = 0;
    for (const span of spansOfPiece(this.content, piece)) {
      if (span.path !== undefined) {
        try {
          const handle = await this.handleOf(span.path);
          await writeFully(handle, data.subarray(at, at + span.lengthBytes), span.fileOffsetBytes);
        } catch (error) {
          return { ...contentErrorFrom(error, 'write-failed', span.path), piece };
        }
      }
      at += span.lengthBytes;
    }
    return undefined;
  }

  /** Brings everything to the disk and closes the files. Returns the first problem, or undefined. */
  async close(): Promise<ContentError | undefined> {
    let problem: ContentError | undefined;
    for (const [path, opening] of this.handles) {
      try {
        const handle = await opening;
        await handle.sync();
        await handle.close();
      } catch (error) {
        problem ??= contentErrorFrom(error, 'write-failed', path);
      }
    }
    this.handles.clear();
    return problem;
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
      // Closing waits for the writes in progress on the handle; a failed opening has nothing to close.
      void opening.then((handle) => handle.close()).catch(() => undefined);
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

async function createSparse(path: string, lengthBytes: number): Promise<ContentError | undefined> {
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
    } finally {
      await handle.close();
    }
    return undefined;
  } catch (error) {
    return contentErrorFrom(error, 'write-failed', path);
  }
}
