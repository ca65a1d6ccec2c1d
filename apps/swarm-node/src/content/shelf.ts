import type { Content } from '@seedfleet/bittorrent';
import type { effectiveOffer, seedingState } from '@seedfleet/bus';
import type { z } from 'zod';
import type { LazyMetainfo } from './lazy-metainfo.js';

export type SeedingState = z.output<typeof seedingState>;
export type EffectiveOffer = z.output<typeof effectiveOffer>;

/** One torrent as this node was told to seed it. */
export interface ShelvedTorrent {
  readonly infoHash: string;
  /** Version of the assignment that this entry follows. */
  version: number;
  /** Where the content is, or will be once it is fetched. */
  contentPath: string;
  /** The address it is fetched from, which may be a signed link and must not be shown; undefined: it is not fetched. */
  source: string | undefined;
  offer: EffectiveOffer;
  /** Whether the operator wants it sold now. */
  active: boolean;
  /** How its content stands, apart from `active`. */
  readiness: 'waiting' | 'fetching' | 'verifying' | 'ready' | 'missing' | 'corrupt' | 'failed';
  /** Part of the content fetched or verified so far, 0 … 1. */
  progress: number;
  /** What is wrong, for people. */
  detail: string;
  metainfo: LazyMetainfo | undefined;
  /** Set once the content was located. */
  content: Content | undefined;
  /** Content as it was when it failed: it is looked at again when that changes. */
  failedFingerprint: string | undefined;
}

/** A torrent whose content is verified and that may be sold. */
export interface TorrentOnSale extends ShelvedTorrent {
  readonly metainfo: LazyMetainfo;
  readonly content: Content;
}

export interface ShelfListener {
  /** A torrent came that was not here; `changed` follows. */
  added?(torrent: ShelvedTorrent): void;
  /** A torrent's state, progress or offer changed. */
  changed(torrent: ShelvedTorrent): void;
  /** A torrent is no longer this node's to sell. */
  removed(infoHash: string): void;
}

/** The torrents of this node. */
export class Shelf {
  private readonly torrents = new Map<string, ShelvedTorrent>();
  private readonly states = new Map<SeedingState, number>();
  private readonly listeners: ShelfListener[] = [];

  listen(listener: ShelfListener): void {
    this.listeners.push(listener);
  }

  get(infoHash: string): ShelvedTorrent | undefined {
    return this.torrents.get(infoHash);
  }

  /** The torrent if it is verified and active. */
  onSale(infoHash: string): TorrentOnSale | undefined {
    const torrent = this.torrents.get(infoHash);
    return torrent !== undefined && isOnSale(torrent) ? torrent : undefined;
  }

  all(): IterableIterator<ShelvedTorrent> {
    return this.torrents.values();
  }

  /** How many torrents are in each state that one was in so far. */
  counts(): ReadonlyMap<SeedingState, number> {
    for (const state of this.states.keys()) this.states.set(state, 0);
    for (const torrent of this.torrents.values()) {
      const state = seedingStateOf(torrent);
      this.states.set(state, (this.states.get(state) ?? 0) + 1);
    }
    return this.states;
  }

  put(torrent: ShelvedTorrent): void {
    const isNew = !this.torrents.has(torrent.infoHash);
    this.torrents.set(torrent.infoHash, torrent);
    if (isNew) for (const listener of this.listeners) listener.added?.(torrent);
    this.announce(torrent);
  }

  /** Changes a torrent, if it is still there, and tells the listeners. */
  update(infoHash: string, change: Partial<Omit<ShelvedTorrent, 'infoHash'>>): void {
    const torrent = this.torrents.get(infoHash);
    if (torrent === undefined) return;
    Object.assign(torrent, change);
    this.announce(torrent);
  }

  remove(infoHash: string): void {
    if (!this.torrents.delete(infoHash)) return;
    for (const listener of this.listeners) listener.removed(infoHash);
  }

  private announce(torrent: ShelvedTorrent): void {
    for (const listener of this.listeners) listener.changed(torrent);
  }
}

/** The state that the fleet is told. */
export function seedingStateOf(torrent: ShelvedTorrent): SeedingState {
  if (torrent.readiness !== 'ready') return torrent.readiness;
  return torrent.active ? 'on-sale' : 'paused';
}

function isOnSale(torrent: ShelvedTorrent): torrent is TorrentOnSale {
  return torrent.active && torrent.readiness === 'ready' && torrent.content !== undefined;
}
