import {
  Discovery,
  type DatagramPort,
  type DiscoveryOptions,
  type PeerAddress,
  type PeerSource,
} from '@seedfleet/bittorrent';
import type { Logger } from '@seedfleet/service-kit';
import type { Shelf, ShelvedTorrent } from '../content/shelf.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { KnownNodes } from './known-nodes.js';

export interface SwarmSearchParts {
  readonly options: Omit<DiscoveryOptions, 'dht' | 'onPeers' | 'onTrackerError'>;
  /** Null: no DHT. Port 0: the peers' port if it is free, else any. */
  readonly dht: { readonly port: number; readonly bootstrap: readonly string[] } | null;
  /** The peers' UDP port, where uTP has it: the DHT shares it unless it was given another. */
  readonly datagrams: DatagramPort | undefined;
  /** TCP port where peers are taken. */
  readonly peerPort: number;
  readonly shelf: Shelf;
  readonly knownNodes: KnownNodes;
  readonly onPeers: (infoHash: string, peers: readonly PeerAddress[], source: PeerSource) => void;
  /** A torrent is no longer sold. */
  readonly onLeft: (infoHash: string) => void;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
}

const MEASURE_MS = 10_000;
/** Torrents that begin to be announced in one go, and the pause before the next. */
const SLICE = 50;
const SLICE_PAUSE_MS = 10;
const SAVE_MS = 10 * 60_000;

/** Announces what is on sale, and looks for those who want it. */
export class SwarmSearch {
  private readonly sought = new Set<string>();
  /** Nothing is announced before: selling comes first, and a node that starts has thousands of torrents at once. */
  private begun = false;
  private stopped = false;
  private readonly timers: NodeJS.Timeout[] = [];

  private constructor(
    private readonly parts: SwarmSearchParts,
    private readonly discovery: Discovery,
  ) {
    parts.shelf.listen({
      changed: (torrent) => this.follow(torrent),
      removed: (infoHash) => this.leave(infoHash),
    });
  }

  /** Binds the DHT's port. Rejects with a sentence for the operator where a given port is taken. */
  static async open(parts: SwarmSearchParts): Promise<SwarmSearch> {
    const { dht, peerPort, datagrams, logger } = parts;
    const bootstrap = dht === null ? [] : [...dht.bootstrap, ...(await parts.knownNodes.read())];
    const ports = dht === null || dht.port !== 0 ? [dht?.port ?? 0] : [peerPort, 0];
    let detail = '';
    for (const port of ports) {
      const opened = await Discovery.open({
        ...parts.options,
        dht:
          dht === null
            ? null
            : { port, bootstrap, ...(port === peerPort && datagrams !== undefined ? { datagrams } : {}) },
        onPeers: (infoHash, peers, source) => {
          parts.metrics.peersFound.inc({ source }, peers.length);
          parts.onPeers(infoHash, peers, source);
        },
        onTrackerError: (infoHash, tracker, code, reason) => {
          parts.metrics.trackerFailures.inc({ code });
          logger.debug({ infoHash, tracker, code, reason }, 'tracker announce failed');
        },
      });
      if (opened.ok) return new SwarmSearch(parts, opened.value);
      detail = `${opened.error.detail}: ${opened.error.code}`;
    }
    throw new Error(`can't open the DHT's port on ${detail}; set DHT_PORT to a free one, or DHT=off`);
  }

  start(): void {
    this.timers.push(setInterval(() => this.measure(), MEASURE_MS));
    this.timers.push(setInterval(() => void this.saveNodes(), SAVE_MS));
  }

  /** Begins to announce, with what is on sale now, some at a time. Called again, it does nothing. */
  async begin(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    let taken = 0;
    for (const torrent of [...this.parts.shelf.all()]) {
      if (this.stopped) return;
      this.follow(torrent);
      if (++taken % SLICE === 0) await new Promise((resolve) => setTimeout(resolve, SLICE_PAUSE_MS));
    }
  }

  /** The DHT's UDP port. */
  get dhtPort(): number | undefined {
    return this.discovery.dhtPort;
  }

  /** Our address as strangers agree to see it. */
  get detectedAddress(): string | undefined {
    return this.discovery.detectedAddress;
  }

  /** Takes leave of the trackers. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    await this.saveNodes();
    await this.discovery.stop();
  }

  private follow(torrent: ShelvedTorrent): void {
    const { infoHash } = torrent;
    const onSale = this.parts.shelf.onSale(infoHash);
    if (onSale === undefined) return this.leave(infoHash);
    if (!this.begun || this.sought.has(infoHash)) return;
    this.sought.add(infoHash);
    const { announce, isPrivate } = onSale.metainfo;
    this.discovery.add({ infoHash, announce, isPrivate, port: this.parts.peerPort, leftBytes: 0 });
  }

  private leave(infoHash: string): void {
    if (!this.sought.delete(infoHash)) return;
    this.discovery.remove(infoHash);
    this.parts.onLeft(infoHash);
  }

  private measure(): void {
    const { metrics } = this.parts;
    const stats = this.discovery.stats();
    metrics.dhtNodes.set(stats.dhtNodes);
    metrics.dhtPackets.set({ direction: 'sent' }, stats.dhtPacketsSent);
    metrics.dhtPackets.set({ direction: 'received' }, stats.dhtPacketsReceived);
    metrics.dhtPackets.set({ direction: 'dropped' }, stats.dhtPacketsDropped);
  }

  private async saveNodes(): Promise<void> {
    await this.parts.knownNodes.write(this.discovery.knownDhtNodes()).catch((failure: unknown) => {
      this.parts.logger.warn({ failure: String(failure) }, 'DHT nodes not saved');
    });
  }
}
