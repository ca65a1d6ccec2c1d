import { realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { placeContent, type LocatedFile } from '@seedfleet/bittorrent';
import type { Shelf } from '../content/shelf.js';

/**
 * Which of these files other torrents of this node name too, whatever way their paths lead there. A torrent of which it is
 * not known yet what it names counts for everything at or below its place.
 */
export async function sharedFiles(files: readonly LocatedFile[], shelf: Shelf): Promise<ReadonlySet<LocatedFile>> {
  const mine = await Promise.all(files.map(async (file) => ({ file, real: await realOf(file.path) })));
  const shared = new Set<LocatedFile>();
  for (const { contentPath, source, metainfo } of [...shelf.all()]) {
    // What is fetched lies in a folder of the node's own.
    if (source !== undefined) continue;
    const place = await realOf(contentPath);
    const near = mine.filter(({ real }) => real === place || real.startsWith(withSeparator(place)));
    if (near.length === 0) continue;
    const whole = metainfo?.whole;
    const placed = whole === undefined ? undefined : await placeContent(whole, contentPath);
    const names =
      placed?.ok === true ? new Set(await Promise.all(placed.value.files.map(({ path }) => realOf(path)))) : undefined;
    for (const { file, real } of near) if (names === undefined || names.has(real)) shared.add(file);
  }
  return shared;
}

const withSeparator = (path: string): string => (path.endsWith(sep) ? path : path + sep);

/** Without symbolic links, also of a file that is not there, as far as its folders are. */
async function realOf(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = dirname(absolute);
    if (parent === absolute) return absolute;
    return withSeparator(await realOf(parent)) + absolute.slice(withSeparator(parent).length);
  }
}
