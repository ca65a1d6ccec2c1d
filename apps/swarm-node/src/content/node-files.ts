import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metainfo } from '@seedfleet/bittorrent';
import { LazyMetainfo, summaryOf } from './lazy-metainfo.js';
import { MetainfoCache } from './metainfo-cache.js';
import { VerifiedBook } from './verified-book.js';

const SUFFIX = '.torrent';
/** Memory for the .torrent files of torrents in use: some hundred of usual size. */
const METAINFO_MEMORY_BYTES = 32 * 1024 * 1024;

/**
 * What a node keeps on disk so that a restart is quick: .torrent files, and which content was verified. All of it can be
 * fetched or found out again, so an unreadable file counts as absent.
 */
export class NodeFiles {
  private readonly cache: MetainfoCache;
  private readonly book: VerifiedBook;
  /** Torrents in the book whose .torrent file is not there. */
  private readonly lost = new Set<string>();

  private constructor(
    private readonly folder: string,
    kept: ReadonlySet<string>,
  ) {
    this.cache = new MetainfoCache((infoHash) => this.torrentPath(infoHash), METAINFO_MEMORY_BYTES);
    this.book = VerifiedBook.open(join(folder, 'verified.jsonl'));
    for (const infoHash of this.book.infoHashes()) if (!kept.has(`${infoHash}${SUFFIX}`)) this.lost.add(infoHash);
  }

  /** Creates the folders. Rejects when the disk does not let us. */
  static async open(folder: string): Promise<NodeFiles> {
    const torrents = join(folder, 'torrents');
    await mkdir(torrents, { recursive: true });
    // One list instead of a look at each of thousands of files.
    return new NodeFiles(folder, new Set(await readdir(torrents)));
  }

  /** Torrents of which a .torrent file is on this disk. */
  async torrents(): Promise<string[]> {
    const names = await readdir(join(this.folder, 'torrents'));
    return names.flatMap((name) => /^([0-9a-f]{40})\.torrent$/.exec(name)?.[1] ?? []);
  }

  readTorrent(infoHash: string): Promise<Uint8Array | undefined> {
    return readFile(this.torrentPath(infoHash)).catch(() => undefined);
  }

  async writeTorrent(infoHash: string, bytes: Uint8Array): Promise<void> {
    this.cache.forget(infoHash);
    await replace(this.torrentPath(infoHash), bytes);
    this.lost.delete(infoHash);
  }

  /** A .torrent file turned out to be gone, or another one: it is not relied on until it is written again. */
  torrentLost(infoHash: string): void {
    this.cache.forget(infoHash);
    this.lost.add(infoHash);
  }

  /** A torrent whose .torrent file is on this disk, without its hashes in memory. */
  lazy(metainfo: Metainfo): LazyMetainfo {
    return new LazyMetainfo(summaryOf(metainfo), this.cache);
  }

  /**
   * The same from what was noted when it was verified; undefined where nothing was. A .torrent file that was there at the
   * start and is gone or another one since is found out when it is read.
   */
  noted(infoHash: string): LazyMetainfo | undefined {
    const known = this.lost.has(infoHash) ? undefined : this.book.get(infoHash);
    return known === undefined ? undefined : new LazyMetainfo(known.summary, this.cache);
  }

  /** Fingerprint under which the content was found good, if it ever was. */
  verifiedFingerprint(infoHash: string): string | undefined {
    return this.book.get(infoHash)?.fingerprint;
  }

  /** Notes that content is good. Throws when the disk does not take it. */
  noteVerified({ summary }: LazyMetainfo, fingerprint: string): void {
    // Nobody has asked for it yet: verifying thousands would fill the cache with idle torrents.
    this.cache.forget(summary.infoHash);
    this.book.add({ fingerprint, summary });
  }

  forgetVerified(infoHash: string): void {
    this.book.remove(infoHash);
  }

  async forget(infoHash: string): Promise<void> {
    this.cache.forget(infoHash);
    this.lost.delete(infoHash);
    this.book.remove(infoHash);
    await rm(this.torrentPath(infoHash), { force: true });
  }

  private torrentPath(infoHash: string): string {
    return join(this.folder, 'torrents', `${infoHash}${SUFFIX}`);
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}
