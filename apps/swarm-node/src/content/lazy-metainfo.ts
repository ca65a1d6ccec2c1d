import { join } from 'node:path';
import type { ContentLocation, LocatedFile, Metainfo, MetainfoFile } from '@seedfleet/bittorrent';
import type { MetainfoCache } from './metainfo-cache.js';

/** The small part of a .torrent file, which every torrent keeps in memory. */
export type MetainfoSummary = Pick<
  Metainfo,
  | 'infoHash'
  | 'name'
  | 'pieceLengthBytes'
  | 'pieceCount'
  | 'lastPieceLengthBytes'
  | 'totalLengthBytes'
  | 'multiFile'
  | 'isPrivate'
  | 'announce'
>;

export function summaryOf(metainfo: MetainfoSummary): MetainfoSummary {
  const { infoHash, name, pieceLengthBytes, pieceCount, lastPieceLengthBytes, totalLengthBytes } = metainfo;
  const { multiFile, isPrivate, announce } = metainfo;
  const sizes = { pieceLengthBytes, pieceCount, lastPieceLengthBytes, totalLengthBytes };
  return { infoHash, name, ...sizes, multiFile, isPrivate, announce: announce.length === 0 ? NO_TRACKERS : announce };
}

const NOTHING = new Uint8Array(0);
/** Shared by thousands of torrents without a tracker. */
const NO_TRACKERS: readonly string[] = [];

/**
 * A torrent whose hashes, file list and info dictionary are read from this node's disk when they are wanted: thousands of
 * torrents lie idle, and each hash costs 20 bytes. A .torrent file that is gone reads as no hashes and no files, so that
 * its pieces fail their check and the torrent is brought in again.
 */
export class LazyMetainfo implements Metainfo {
  constructor(
    readonly summary: MetainfoSummary,
    private readonly cache: MetainfoCache,
  ) {}

  get infoHash(): string {
    return this.summary.infoHash;
  }
  get name(): string {
    return this.summary.name;
  }
  get pieceLengthBytes(): number {
    return this.summary.pieceLengthBytes;
  }
  get pieceCount(): number {
    return this.summary.pieceCount;
  }
  get lastPieceLengthBytes(): number {
    return this.summary.lastPieceLengthBytes;
  }
  get totalLengthBytes(): number {
    return this.summary.totalLengthBytes;
  }
  get multiFile(): boolean {
    return this.summary.multiFile;
  }
  get isPrivate(): boolean {
    return this.summary.isPrivate;
  }
  get announce(): readonly string[] {
    return this.summary.announce;
  }

  get pieceHashes(): Uint8Array {
    return this.whole?.pieceHashes ?? NOTHING;
  }
  get infoBytes(): Uint8Array {
    return this.whole?.infoBytes ?? NOTHING;
  }
  get files(): readonly MetainfoFile[] {
    const { multiFile, name, totalLengthBytes } = this.summary;
    if (multiFile) return this.whole?.files ?? [];
    return [{ path: [name], lengthBytes: totalLengthBytes, offsetBytes: 0, padding: false }];
  }

  /** Everything, to be held by whoever needs it for a while; undefined when the file is gone. */
  get whole(): Metainfo | undefined {
    return this.cache.get(this.summary.infoHash);
  }
}

/** Where the files of a torrent lie, found out anew from the file list whenever it is asked for. */
export class LazyLocation implements ContentLocation {
  private constructor(
    private readonly metainfo: LazyMetainfo,
    /** Of the file itself, or of the folder that the file list is relative to. */
    private readonly path: string,
  ) {}

  /** The only file of a torrent that has one. */
  static ofFile(metainfo: LazyMetainfo, path: string): LazyLocation {
    return new LazyLocation(metainfo, path);
  }

  /** @param located as `locateContent` found it. */
  static of(metainfo: LazyMetainfo, located: ContentLocation): LazyLocation {
    const first = located.files[0]?.path ?? '';
    if (!metainfo.multiFile) return new LazyLocation(metainfo, first);
    const inside = join(...(metainfo.files[0]?.path ?? ['']));
    return new LazyLocation(metainfo, first.slice(0, Math.max(0, first.length - inside.length)));
  }

  get files(): readonly LocatedFile[] {
    const { metainfo, path } = this;
    if (metainfo.multiFile) return metainfo.files.map((file) => ({ ...file, path: join(path, ...file.path) }));
    return [{ path, lengthBytes: metainfo.totalLengthBytes, offsetBytes: 0, padding: false }];
  }
}
