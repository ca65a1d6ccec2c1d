import {
  isContactable,
  MAX_PEX_BYTES,
  readPex,
  type Metainfo,
  type Peer,
  type PeerAddress,
} from '@seedfleet/bittorrent';
import { readExtendedHandshake } from '@seedfleet/wire';
import { FreeSource, type FreePieces } from './free-source.js';

/** Our id for peer exchange; JoyStream's are 60 to 70. */
export const PEX_ID = 1;
/** Pieces are taken for nothing from so many peers at once: each holds a piece in memory. */
const MAX_SOURCES = 8;

export interface OrdinaryPeersOptions {
  readonly metainfo: Metainfo;
  readonly pieces: FreePieces;
  /** Whether pieces are taken for nothing at all. */
  readonly takeFree: boolean;
  /** Whether addresses on this machine and in private networks count. */
  readonly allowLocal: boolean;
  readonly onPeers: (peers: readonly PeerAddress[]) => void;
}

/** The part of every connection that is not JoyStream: peer exchange, and free pieces from those who don't sell. */
export class OrdinaryPeers {
  private readonly sources = new Map<number, FreeSource>();

  constructor(private readonly options: OrdinaryPeersOptions) {}

  /** Looks at a new connection. Sellers are not asked for anything for nothing. */
  watch(id: number, peer: Peer): void {
    peer.once('closed', () => this.sources.delete(id));
    peer.on('extended', (extendedId, payload) => {
      if (extendedId === PEX_ID) this.onPex(payload);
    });
    if (!peer.supportsExtended) return this.take(id, peer);
    peer.once('extendedHandshake', (body) => {
      const read = readExtendedHandshake(body);
      if (read.ok && read.extension.kind === 'none') this.take(id, peer);
    });
  }

  /** Most payload of a message that is not the exchange's; undefined for those that are. */
  limitBytes(extendedId: number): number | undefined {
    return extendedId === PEX_ID ? MAX_PEX_BYTES : undefined;
  }

  tick(nowMs: number): void {
    for (const source of this.sources.values()) source.tick(nowMs);
  }

  private take(id: number, peer: Peer): void {
    if (!this.options.takeFree || this.sources.size >= MAX_SOURCES) return;
    this.sources.set(id, new FreeSource(id, peer, this.options.metainfo, this.options.pieces));
  }

  private onPex(payload: Uint8Array): void {
    const { allowLocal, metainfo, onPeers } = this.options;
    // Peers of private torrents are the tracker's to name (BEP 27).
    if (metainfo.isPrivate) return;
    onPeers((readPex(payload) ?? []).filter((peer) => isContactable(peer, allowLocal)));
  }
}
