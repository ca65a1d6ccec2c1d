import { createPeerId, dialPeer, PieceSet, type Metainfo, type Peer, type TorrentSide } from '@seedfleet/bittorrent';
import type { PeerAddress } from '../options.js';

/** First pause before a seller that could not be reached, or was lost before a contract, is dialled again. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

export interface ConnectionEvents {
  /** A BitTorrent handshake with BEP 10 finished. Listeners are to be attached before this returns. */
  connected(id: number, peer: Peer): void;
  /** A dial failed or a connection ended. */
  lost(id: number, code: string): void;
}

/** Keeps a connection to each seller, dialling again with growing pauses while that is wanted. */
export class Connections {
  private readonly peerId = createPeerId();
  private readonly stopping = new AbortController();
  private readonly peers = new Map<number, Peer>();
  private readonly addressOf = new Map<number, PeerAddress>();
  private nextId = 0;
  private wanted = true;

  constructor(
    private readonly metainfo: Metainfo,
    private readonly limitBytes: (connection: number, id: number) => number,
    private readonly events: ConnectionEvents,
  ) {}

  /** Starts dialling. Addresses are tried in parallel, each on its own. */
  open(addresses: readonly PeerAddress[]): void {
    for (const address of addresses) void this.keep(address);
  }

  /** After a contract new connections serve nothing: no more dialling. */
  stopDialling(): void {
    this.wanted = false;
  }

  peer(id: number): Peer | undefined {
    return this.peers.get(id);
  }

  /** HOST:PORT as it was given. */
  name(id: number): string {
    const address = this.addressOf.get(id);
    return address === undefined ? `#${id}` : `${address.host}:${address.port}`;
  }

  /** Lets what is queued leave, then ends every connection. */
  async close(): Promise<void> {
    this.wanted = false;
    this.stopping.abort();
    await Promise.all([...this.peers.values()].map((peer) => peer.finish()));
  }

  private async keep(address: PeerAddress): Promise<void> {
    let pauseMs = FIRST_RETRY_MS;
    while (this.wanted) {
      const ended = await this.connectOnce(address);
      if (!this.wanted) return;
      pauseMs = ended === 'was-connected' ? FIRST_RETRY_MS : Math.min(pauseMs * 2, LONGEST_RETRY_MS);
      await this.pause(pauseMs);
    }
  }

  private async connectOnce(address: PeerAddress): Promise<'was-connected' | 'failed'> {
    const id = this.nextId++;
    this.addressOf.set(id, address);
    const torrent: TorrentSide = {
      infoHash: this.metainfo.infoHash,
      pieceCount: this.metainfo.pieceCount,
      // A buyer announces nothing: it gives nothing away.
      have: new PieceSet(this.metainfo.pieceCount),
      extended: { limitBytes: (extendedId) => this.limitBytes(id, extendedId) },
    };
    const dialled = await dialPeer({ ...address, torrent, peerId: this.peerId, signal: this.stopping.signal });
    if (!dialled.ok) {
      this.events.lost(id, dialled.error);
      return 'failed';
    }
    const peer = dialled.value;
    if (!peer.supportsExtended) {
      peer.close();
      this.events.lost(id, 'no-extension-protocol');
      return 'failed';
    }
    this.peers.set(id, peer);
    await new Promise<void>((resolve) => {
      peer.once('closed', (reason) => {
        this.peers.delete(id);
        this.events.lost(id, reason);
        resolve();
      });
      this.events.connected(id, peer);
      peer.start();
    });
    return 'was-connected';
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.stopping.signal.addEventListener('abort', done);
    });
  }
}
