import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metainfo } from '@seedfleet/bittorrent';
import { LazyMetainfo, summaryOf } from './lazy-metainfo.js';
import { MetainfoCache } from './metainfo-cache.js';
import { VerifiedBook } from './verified-book.js';

/** Memory for the .torrent files of torrents in use: some hundred of usual size. */
const METAINFO_MEMORY_BYTES = 32 * 1024 * 1024;

/**
 * What a node keeps on disk so that a restart is quick: .torrent files, and which content was verified. All of it can be
 * fetched or found out again, so an unreadable file counts as absent.
 */
export class NodeFiles {
  private readonly cache: MetainfoCache;
  private readonly book: VerifiedBook;

  private constructor(private readonly folder: string) {
    this.cache = new MetainfoCache((infoHash) => this.torrentPath(infoHash), METAINFO_MEMORY_BYTES);
    this.book = VerifiedBook.open(join(folder, 'verified.jsonl'));
  }

  /** Creates the folders. Rejects when the disk does not let us. */
  static async open(folder: string): Promise<NodeFiles> {
    await mkdir(join(folder, 'torrents'), { recursive: true });
    return new NodeFiles(folder);
  }

  readTorrent(infoHash: string): Promise<Uint8Array | undefined> {
    return readFile(this.torrentPath(infoHash)).catch(() => undefined);
  }

  writeTorrent(infoHash: string, bytes: Uint8Array): Promise<void> {
    this.cache.forget(infoHash);
    return replace(this.torrentPath(infoHash), bytes);
  }

  /** A torrent whose .torrent file is on this disk, without its hashes in memory. */
  lazy(metainfo: Metainfo): LazyMetainfo {
    return new LazyMetainfo(summaryOf(metainfo), this.cache);
  }

  /** The same from what was noted when it was verified; undefined where nothing was, or the file is another one now. */
  async noted(infoHash: string): Promise<LazyMetainfo | undefined> {
    const known = this.book.get(infoHash);
    if (known === undefined) return undefined;
    const file = await stat(this.torrentPath(infoHash)).catch(() => undefined);
    return file?.size === known.torrentBytes ? new LazyMetainfo(known.summary, this.cache) : undefined;
  }

  /** Fingerprint under which the content was found good, if it ever was. */
  verifiedFingerprint(infoHash: string): string | undefined {
    return this.book.get(infoHash)?.fingerprint;
  }

  /** Notes that content is good. Rejects when the disk does not take it. */
  async noteVerified(metainfo: Metainfo, fingerprint: string): Promise<void> {
    const { size } = await stat(this.torrentPath(metainfo.infoHash));
    // Nobody has asked for it yet: verifying thousands would fill the cache with idle torrents.
    this.cache.forget(metainfo.infoHash);
    this.book.add({ fingerprint, torrentBytes: size, summary: summaryOf(metainfo) });
  }

  forgetVerified(infoHash: string): void {
    this.book.remove(infoHash);
  }

  async forget(infoHash: string): Promise<void> {
    this.cache.forget(infoHash);
    this.book.remove(infoHash);
    await rm(this.torrentPath(infoHash), { force: true });
  }

  private torrentPath(infoHash: string): string {
    return join(this.folder, 'torrents', `${infoHash}.torrent`);
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}
