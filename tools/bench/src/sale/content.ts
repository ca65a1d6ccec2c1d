import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';

/** One piece length of the content. */
export interface BenchTorrent {
  readonly torrentFile: string;
  readonly contentPath: string;
  readonly metainfo: Metainfo;
}

const CHUNK_BYTES = 8 * 1024 * 1024;

/** Writes a file that no file system can make smaller, and a torrent of it for each piece length. */
export async function makeTorrents(
  folder: string,
  contentBytes: number,
  pieceLengths: readonly number[],
): Promise<BenchTorrent[]> {
  const contentPath = join(folder, 'content.bin');
  const file = openSync(contentPath, 'w');
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, contentBytes));
  for (let written = 0; written < contentBytes; written += chunk.length) {
    randomFillSync(chunk);
    writeSync(file, chunk, 0, Math.min(chunk.length, contentBytes - written));
  }
  closeSync(file);
  const torrents: BenchTorrent[] = [];
  for (const pieceLengthBytes of pieceLengths) {
    const name = `content-${pieceLengthBytes / 1024}`;
    const bytes = await createMetainfo(contentPath, { pieceLengthBytes });
    const parsed = parseMetainfo(bytes);
    if (!parsed.ok) throw new Error(`the torrent made for the benchmark can't be read: ${parsed.error.code}`);
    const torrentFile = join(folder, `${name}.torrent`);
    writeFileSync(torrentFile, bytes);
    torrents.push({ torrentFile, contentPath, metainfo: parsed.value });
  }
  return torrents;
}
