import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Metainfo } from '../metainfo/metainfo.js';
import { failure, success, type Result } from '../result.js';
import { contentErrorFrom, type ContentError } from './errors.js';

/** Where each file of a torrent lies on this machine. */
export interface ContentLocation {
  readonly files: readonly LocatedFile[];
}

export interface LocatedFile {
  /** Absolute path. */
  readonly path: string;
  readonly lengthBytes: number;
  readonly offsetBytes: number;
  /** Not on disk: zeros (BEP 47). */
  readonly padding: boolean;
}

/** A torrent together with where its content is. */
export interface Content {
  readonly metainfo: Metainfo;
  readonly location: ContentLocation;
}

/** Where a torrent's files belong below a folder: the file itself, or the folder that the torrent names. */
export function locationBelow(metainfo: Metainfo, folder: string): ContentLocation {
  const root = resolve(folder);
  return locationIn(metainfo, metainfo.multiFile ? join(root, metainfo.name) : root);
}

/**
 * Finds a torrent's content and checks that every file is there in full length. `path` is the file, or the folder that
 * holds what the torrent names; for a torrent of several files also that named folder itself. Says nothing about the
 * bytes: that is verification.
 */
export async function locateContent(metainfo: Metainfo, path: string): Promise<Result<ContentLocation, ContentError>> {
  const placed = await placeContent(metainfo, path);
  return placed.ok ? checkFiles(placed.value) : placed;
}

/** The same without looking at the files: some may be missing or short. */
export async function placeContent(metainfo: Metainfo, path: string): Promise<Result<ContentLocation, ContentError>> {
  const root = resolve(path);
  const kind = await kindOf(root);
  if (kind === undefined) return failure({ code: 'content-missing', path: root });
  if (kind === 'file') {
    if (metainfo.multiFile) return failure({ code: 'not-a-file', path: root, detail: 'a folder is expected' });
    return success({ files: metainfo.files.map((file) => ({ ...file, path: root })) });
  }
  if (metainfo.multiFile && (await kindOf(join(root, metainfo.name))) !== 'folder') {
    return success(locationIn(metainfo, root));
  }
  return success(locationBelow(metainfo, root));
}

function locationIn(metainfo: Metainfo, folder: string): ContentLocation {
  return { files: metainfo.files.map((file) => ({ ...file, path: join(folder, ...file.path) })) };
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

async function checkFiles(location: ContentLocation): Promise<Result<ContentLocation, ContentError>> {
  for (const file of location.files) {
    if (file.padding) continue;
    const problem = await checkFile(file);
    if (problem !== undefined) return failure(problem);
  }
  return success(location);
}

async function checkFile(file: LocatedFile): Promise<ContentError | undefined> {
  try {
    const found = await stat(file.path);
    if (!found.isFile()) return { code: 'not-a-file', path: file.path };
    if (found.size >= file.lengthBytes) return undefined;
    return { code: 'file-short', path: file.path, detail: `${found.size} of ${file.lengthBytes} bytes` };
  } catch (error) {
    return contentErrorFrom(error, 'read-failed', file.path);
  }
}
