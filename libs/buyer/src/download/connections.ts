import { createPeerId, dialPeer, PieceSet, type Metainfo, type Peer, type TorrentSide } from '@seedfleet/bittorrent';
import type { PeerAddress } from '../options.js';
import type { PieceMemory } from './piece-memory.js';
import { addressKey, type Reputation } from './reputation.js';

/** First pause before a seller that could not be reached, or was lost, is dialled again. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
/** An address that was only heard of is forgotten after so many failed dials in a row; one that was given is not. */
const MAX_FAILED_DIALS = 4;
/** Addresses kept in all; a swarm's further ones are heard of again. */
const MAX_ADDRESSES = 500;
/** Dials and connections at once, as many as common clients have of one torrent. */
const MAX_AT_ONCE = 40;

export interface ConnectionEvents {
  /** A BitTorrent handshake finished. Listeners are to be attached before this returns. */
  connected(id: number, peer: Peer): void;
  /** A dial failed or a connection ended. */
  lost(id: number, code: string): void;
}

interface Candidate {
  readonly address: PeerAddress;
  /** Named by the user, so that failures are worth telling and the address is never given up. */
  readonly given: boolean;
  failures: number;
  pauseMs: number;
  notBeforeMs: number;
  active: boolean;
}

/** Keeps connections to sellers and peers, dialling again with growing pauses for as long as it is open. */
export class Connections {
  private readonly peerId = createPeerId();
  private readonly stopping = new AbortController();
  private readonly candidates = new Map<string, Candidate>();
  private readonly peers = new Map<number, Peer>();
  private readonly addressOf = new Map<number, PeerAddress>();
  private timer: NodeJS.Timeout | undefined;
  private active = 0;
  private nextId = 0;

  constructor(
    private readonly metainfo: Metainfo,
    private readonly limitBytes: (connection: number, id: number) => number,
    private readonly reputation: Reputation,
    private readonly memory: PieceMemory,
    private readonly encryption: 'off' | 'prefer' | 'require',
    private readonly events: ConnectionEvents,
  ) {}

  /** Takes addresses to dial, now and later; known ones change nothing. */
  add(addresses: readonly PeerAddress[], given: boolean): void {
    for (const address of addresses) {
      const key = addressKey(address);
      if (this.candidates.has(key) || this.candidates.size >= MAX_ADDRESSES) continue;
      this.candidates.set(key, { address, given, failures: 0, pauseMs: FIRST_RETRY_MS, notBeforeMs: 0, active: false });
    }
    this.timer ??= setInterval(() => this.dialDue(), FIRST_RETRY_MS);
    this.dialDue();
  }

  /** Addresses that could still become sellers. */
  get known(): number {
    return [...this.candidates.keys()].filter((key) => !this.reputation.isBanned(key)).length;
  }

  peer(id: number): Peer | undefined {
    return this.peers.get(id);
  }

  get open(): number {
    return this.peers.size;
  }

  /** HOST:PORT as it was given. */
  name(id: number): string {
    const address = this.addressOf.get(id);
    return address === undefined ? `#${id}` : addressKey(address);
  }

  isGiven(id: number): boolean {
    return this.candidates.get(this.name(id))?.given ?? false;
  }

  /** Lets what is queued leave, then ends every connection. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await Promise.all([...this.peers.values()].map((peer) => peer.finish()));
  }

  private dialDue(): void {
    const nowMs = performance.now();
    for (const [key, candidate] of this.candidates) {
      if (this.active >= MAX_AT_ONCE || this.stopping.signal.aborted) return;
      if (candidate.active || nowMs < candidate.notBeforeMs || this.reputation.isBanned(key)) continue;
      void this.keep(key, candidate);
    }
  }

  private async keep(key: string, candidate: Candidate): Promise<void> {
    candidate.active = true;
    this.active += 1;
    const wasConnected = await this.connectOnce(candidate.address);
    this.active -= 1;
    candidate.active = false;
    candidate.failures = wasConnected ? 0 : candidate.failures + 1;
    candidate.pauseMs = wasConnected ? FIRST_RETRY_MS : Math.min(candidate.pauseMs * 2, LONGEST_RETRY_MS);
    candidate.notBeforeMs = performance.now() + candidate.pauseMs;
    if (!candidate.given && candidate.failures >= MAX_FAILED_DIALS) this.candidates.delete(key);
  }

  private async connectOnce(address: PeerAddress): Promise<boolean> {
    const id = this.nextId++;
    this.addressOf.set(id, address);
    const torrent: TorrentSide = {
      infoHash: this.metainfo.infoHash,
      pieceCount: this.metainfo.pieceCount,
      // A buyer announces nothing: it gives nothing away.
      have: new PieceSet(this.metainfo.pieceCount),
      extended: {
        limitBytes: (extendedId) => this.limitBytes(id, extendedId),
        allocate: (_extendedId, lengthBytes) => this.memory.allocate(lengthBytes),
      },
      // From peers that don't sell.
      takesBlocks: true,
    };
    try {
      const dialled = await dialPeer({
        ...address,
        torrent,
        peerId: this.peerId,
        encryption: this.encryption,
        signal: this.stopping.signal,
      });
      if (!dialled.ok) {
        this.events.lost(id, dialled.error);
        return false;
      }
      const peer = dialled.value;
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
      return true;
    } finally {
      this.addressOf.delete(id);
    }
  }
}
