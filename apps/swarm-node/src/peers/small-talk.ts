import {
  addressKey,
  encodePex,
  isContactable,
  MAX_PEX_PEERS,
  metadataPart,
  metadataReject,
  PEX_INTERVAL_MS,
  readForeignExtensions,
  readMetadataRequest,
  readPex,
  type Allowance,
  type ForeignExtensions,
  type Metainfo,
  type Peer,
  type PeerAddress,
} from '@seedfleet/bittorrent';
import { FOREIGN_ID } from './foreign-ids.js';

export interface SmallTalkHost {
  readonly metainfo: Metainfo;
  /** Bytes of metadata that the node may still give. */
  readonly metadataBytes: Allowance;
  /** How often a connection may be given the whole metadata: once, and again what got lost. */
  readonly metadataCopies: number;
  /** Whether peers on loopback and private networks count. */
  readonly allowLocal: boolean;
  /** Where a peer that dialled us listens is what it says; where we dialled is certain. */
  readonly onPeers: (infoHash: string, peers: readonly PeerAddress[]) => void;
  readonly onMetadata: (verdict: 'sent' | 'rejected') => void;
}

/** Bytes that may wait for a peer before it gets no more metadata. */
const MAX_WAITING_BYTES = 128 * 1024;

/** What one connection has to say besides trading: the metadata for magnet links (BEP 9), and peer exchange (BEP 11). */
export class SmallTalk {
  private theirs: ForeignExtensions = {};
  private metadataLeft: number;
  private lastHeardMs = Number.NEGATIVE_INFINITY;
  /** By address key: what the peer was told of. */
  private told = new Map<string, PeerAddress>();

  constructor(
    private readonly peer: Peer,
    private readonly host: SmallTalkHost,
  ) {
    this.metadataLeft = host.metadataCopies * host.metainfo.infoBytes.length;
    if (host.metainfo.isPrivate) return;
    peer.on('extendedHandshake', (body) => (this.theirs = readForeignExtensions(body)));
    peer.on('extended', (id, payload) => {
      if (id === FOREIGN_ID.ut_metadata) this.onMetadataRequest(payload);
      else if (id === FOREIGN_ID.ut_pex) this.onPex(payload);
    });
  }

  get infoHash(): string {
    return this.peer.infoHash;
  }

  /** Where the peer takes connections, if that is known. */
  get address(): PeerAddress | undefined {
    const port = this.peer.direction === 'outbound' ? this.peer.remotePort : this.theirs.listenPort;
    const address = { host: this.peer.remoteAddress, port: port ?? 0 };
    return isContactable(address, this.host.allowLocal) ? address : undefined;
  }

  /** Tells the peer what changed among those who are here, by address key; call it once a minute. */
  tell(present: ReadonlyMap<string, PeerAddress>): void {
    const { utPex } = this.theirs;
    if (utPex === undefined) return;
    const own = this.address === undefined ? '' : addressKey(this.address);
    const added = [...present].filter(([key]) => key !== own && !this.told.has(key)).slice(0, MAX_PEX_PEERS);
    const dropped = [...this.told].filter(([key]) => !present.has(key)).slice(0, MAX_PEX_PEERS);
    if (added.length + dropped.length === 0) return;
    for (const [key, address] of added) this.told.set(key, address);
    for (const [key] of dropped) this.told.delete(key);
    const values = (list: typeof added): PeerAddress[] => list.map(([, address]) => address);
    this.peer.sendExtended(utPex, encodePex(values(added), values(dropped)));
  }

  private onPex(payload: Uint8Array): void {
    const now = performance.now();
    // Well-behaved peers wait a minute; clocks and networks excuse a little.
    if (now - this.lastHeardMs < PEX_INTERVAL_MS * 0.75) return;
    this.lastHeardMs = now;
    const peers = readPex(payload)?.filter((peer) => isContactable(peer, this.host.allowLocal)) ?? [];
    if (peers.length > 0) this.host.onPeers(this.infoHash, peers);
  }

  private onMetadataRequest(payload: Uint8Array): void {
    const { utMetadata } = this.theirs;
    const part = readMetadataRequest(payload);
    if (utMetadata === undefined || part === undefined) return;
    const answer = metadataPart(this.host.metainfo.infoBytes, part);
    const bytes = answer?.body.length ?? 0;
    const { metadataBytes } = this.host;
    const granted =
      bytes <= this.metadataLeft && bytes <= metadataBytes.available && this.peer.queuedBytes <= MAX_WAITING_BYTES;
    if (answer === undefined || !granted) {
      this.host.onMetadata('rejected');
      this.peer.sendExtended(utMetadata, metadataReject(part));
      return;
    }
    this.metadataLeft -= bytes;
    metadataBytes.spend(bytes);
    this.host.onMetadata('sent');
    this.peer.sendExtended(utMetadata, answer.head, answer.body, { lane: 'bulk' });
  }
}
