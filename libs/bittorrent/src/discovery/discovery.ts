import { createHash } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { failure, success, type Result } from '../result.js';
import { addressKey, hostOfBytes, isContactable, type PeerAddress } from './addresses.js';
import { Agenda, jittered } from './agenda.js';
import { DISCOVERY_DEFAULTS } from './defaults.js';
import type { DatagramPort } from './dht/datagrams.js';
import { DhtNode } from './dht/dht-node.js';
import type { BindError } from './dht/guarded-socket.js';
import { OwnAddress } from './own-address.js';
import type { AnnounceError } from './tracker/announce.js';
import { Trackers } from './tracker/trackers.js';

export type PeerSource = 'tracker' | 'dht' | 'dht-secondary';

export interface DiscoveryOptions {
  /** Our peer id, 20 bytes: trackers are told. */
  readonly peerId: Uint8Array;
  /** Address that the DHT binds and that trackers are asked from; `0.0.0.0` or `::` leave the choice to the system. */
  readonly host: string;
  /**
   * Null: no DHT. `port` 0: any free one. `bootstrap`: HOST:PORT of nodes to join through; none contacts nobody.
   * `datagrams`: a port that is bound already and shared with uTP, instead of `port`.
   */
  readonly dht: DhtChoice | null;
  /** Which trackers are used; `local`: those named by an address of this machine or a private network. */
  readonly trackers: 'on' | 'local' | 'off';
  /** Whether the trackers of private torrents are used; the DHT never is (BEP 27). Default false. */
  readonly privateTrackers?: boolean;
  /** Our IP address for others, where it is known: announced where the protocol lets us, and never reported as a peer. */
  readonly publicHost?: string;
  /** Whether peers on loopback and private networks may be reported and contacted. Default false. */
  readonly allowLocal?: boolean;
  /** UDP packets per second that the DHT may send. Default 400. */
  readonly packetsPerSecond?: number;
  /** Default 30 s. */
  readonly lookupEveryMs?: number;
  /** Default 120 s. */
  readonly announceEveryMs?: number;
  /**
   * Peers of a torrent: checked, without ourselves, at most 200 per call. The same peer is reported again whenever it is
   * found again; who connects keeps its own books.
   */
  readonly onPeers: (infoHash: string, peers: readonly PeerAddress[], source: PeerSource) => void;
  /** A tracker did not serve an announce. */
  readonly onTrackerError?: (infoHash: string, tracker: string, code: AnnounceError, detail: string) => void;
}

export interface DhtChoice {
  readonly port: number;
  readonly bootstrap: readonly string[];
  readonly datagrams?: DatagramPort;
}

/** A torrent to be found by others, or to find others of. */
export interface SoughtTorrent {
  /** Lowercase hex. */
  readonly infoHash: string;
  /** Tracker URLs (`http:`, `https:`, `udp:`), each announced to; others are ignored, and all beyond twelve. */
  readonly announce: readonly string[];
  readonly isPrivate: boolean;
  /** TCP port where we take peers of this torrent; null: only look for others. */
  readonly port: number | null;
  /** Bytes still to be downloaded; 0 for sellers. */
  readonly leftBytes: number;
}

export interface DiscoveryStats {
  readonly torrents: number;
  /** DHT nodes in the routing table. */
  readonly dhtNodes: number;
  readonly dhtPacketsSent: number;
  readonly dhtPacketsReceived: number;
  readonly dhtPacketsDropped: number;
  /** Finished visits of a hash in the DHT. */
  readonly dhtVisits: number;
  readonly trackerAnnounces: number;
  readonly trackerFailures: number;
}

/** What is kept of a torrent: there are thousands. */
interface Entry {
  /** Told to the DHT; null: never, as of private torrents. */
  readonly port: number | null;
  announcedAtMs: number;
  cancel: (() => void) | undefined;
}

/**
 * Finds peers, and lets peers find us: trackers over HTTP and UDP, and the mainline DHT under the torrent's hash and
 * under the second hash of JoyStream clients (client behaviour §5). Holds as many torrents as it is given: what the
 * budgets don't allow at once comes later.
 */
export class Discovery {
  private readonly torrents = new Map<string, Entry>();
  /** Torrents by their second DHT hash. */
  private readonly secondaries = new Map<string, string>();
  private readonly found = new Map<string, { readonly source: PeerSource; readonly peers: Map<string, PeerAddress> }>();
  private readonly agenda = new Agenda({
    maxRunning: DISCOVERY_DEFAULTS.concurrentVisits,
    mayStart: () => this.dht?.maySend ?? false,
  });
  private readonly ownAddress = new OwnAddress();
  private readonly ownPorts = new Set<number>();
  private readonly trackers: Trackers | undefined;
  private dht: DhtNode | undefined;
  private visits = 0;
  private announces = 0;
  private trackerFailures = 0;

  private constructor(private readonly options: DiscoveryOptions) {
    if (options.trackers === 'off') return;
    this.trackers = new Trackers({
      peerId: options.peerId,
      localOnly: options.trackers === 'local',
      // A listener on `::` takes both families, so both are announced.
      localHosts: options.host === '::' ? ['0.0.0.0', '::'] : [options.host],
      publicHost: options.publicHost !== undefined && isIP(options.publicHost) !== 0 ? options.publicHost : undefined,
      onPeers: (infoHash, peers) => this.report(infoHash, peers, 'tracker'),
      onOurAddress: (address, from) => this.ownAddress.observe(address, from),
      onOutcome: (infoHash, url, error, detail) => {
        this.announces += 1;
        if (error === undefined) return;
        this.trackerFailures += 1;
        options.onTrackerError?.(infoHash, url.origin === 'null' ? url.host : url.origin, error, detail);
      },
    });
  }

  /** Binds the DHT's port, if it is wanted. */
  static async open(
    options: DiscoveryOptions,
  ): Promise<Result<Discovery, { readonly code: BindError; readonly detail: string }>> {
    const discovery = new Discovery(options);
    if (options.dht === null) return success(discovery);
    // The DHT is an IPv4 network here; a listener for all addresses lets it have all of IPv4's.
    const host = isIPv4(options.host) ? options.host : '0.0.0.0';
    const opened = await DhtNode.open({
      host,
      port: options.dht.port,
      ...(options.dht.datagrams === undefined ? {} : { datagrams: options.dht.datagrams }),
      bootstrap: options.dht.bootstrap,
      allowLocal: options.allowLocal ?? false,
      publicHost: options.publicHost ?? (isUnspecified(host) ? undefined : host),
      packetsPerSecond: options.packetsPerSecond ?? DISCOVERY_DEFAULTS.packetsPerSecond,
      ownPort: (hash) => discovery.torrents.get(discovery.secondaries.get(hash) ?? hash)?.port ?? undefined,
      onPeer: (hash, peer) => discovery.onDhtPeer(hash, peer),
      onOurAddress: (address, from) => discovery.ownAddress.observe(hostOfBytes(address), from),
    });
    if (!opened.ok) return failure({ code: opened.error, detail: `${host}:${options.dht.port}/udp` });
    discovery.dht = opened.value;
    return success(discovery);
  }

  /** The DHT's UDP port, if there is a DHT. */
  get dhtPort(): number | undefined {
    return this.dht?.port;
  }

  /** Our address as several strangers agree to see it. */
  get detectedAddress(): string | undefined {
    return this.ownAddress.agreed;
  }

  /** HOST:PORT of DHT nodes that answered, to join through at the next start. */
  knownDhtNodes(): string[] {
    return this.dht?.knownNodes() ?? [];
  }

  stats(): DiscoveryStats {
    return {
      torrents: this.torrents.size,
      dhtNodes: this.dht?.knownNodes().length ?? 0,
      dhtPacketsSent: this.dht?.traffic.sent ?? 0,
      dhtPacketsReceived: this.dht?.traffic.received ?? 0,
      dhtPacketsDropped: this.dht?.traffic.dropped ?? 0,
      dhtVisits: this.visits,
      trackerAnnounces: this.announces,
      trackerFailures: this.trackerFailures,
    };
  }

  /** Begins to look for peers, and to announce where a port is given. A torrent that is here already is replaced. */
  add(torrent: SoughtTorrent): void {
    this.remove(torrent.infoHash);
    if (torrent.port !== null) this.ownPorts.add(torrent.port);
    const { infoHash } = torrent;
    const port = torrent.isPrivate ? null : torrent.port;
    const entry: Entry = { port, announcedAtMs: Number.NEGATIVE_INFINITY, cancel: undefined };
    this.torrents.set(infoHash, entry);
    if (this.trackers !== undefined && (!torrent.isPrivate || this.options.privateTrackers === true)) {
      this.trackers.add(torrent);
    }
    if (this.dht === undefined || torrent.isPrivate) return;
    this.secondaries.set(secondaryHash(infoHash), infoHash);
    entry.cancel = this.agenda.add(() => this.visit(infoHash, entry));
  }

  /** Leaves a torrent. Trackers hear of it; in the DHT announces are forgotten by age. */
  remove(infoHash: string): void {
    const entry = this.torrents.get(infoHash);
    if (entry === undefined) return;
    this.torrents.delete(infoHash);
    this.secondaries.delete(secondaryHash(infoHash));
    entry.cancel?.();
    this.trackers?.remove(infoHash);
  }

  /** Ends everything; trackers hear that we leave, as far as two seconds allow. */
  async stop(): Promise<void> {
    this.agenda.stop();
    await Promise.all([this.trackers?.stop(), this.dht?.close()]);
    this.torrents.clear();
    this.secondaries.clear();
    this.found.clear();
  }

  /** Visits both hashes of a torrent in the DHT; answers when to do it again. */
  private async visit(infoHash: string, entry: Entry): Promise<number> {
    const lookupMs = this.options.lookupEveryMs ?? DISCOVERY_DEFAULTS.lookupEveryMs;
    const announceMs = this.options.announceEveryMs ?? DISCOVERY_DEFAULTS.announceEveryMs;
    // A visit a little early costs less than one a whole lookup late.
    const due = entry.port !== null && performance.now() - entry.announcedAtMs >= announceMs - lookupMs / 2;
    if (due) entry.announcedAtMs = performance.now();
    for (const hash of [infoHash, secondaryHash(infoHash)]) {
      if (this.torrents.get(infoHash) !== entry) break;
      await this.dht?.visit(hash, due ? entry.port : null);
      this.visits += 1;
    }
    return jittered(lookupMs);
  }

  /** Peers come one by one; they are reported together. */
  private onDhtPeer(hash: string, peer: PeerAddress): void {
    const primary = this.secondaries.get(hash);
    const source: PeerSource = primary === undefined ? 'dht' : 'dht-secondary';
    const infoHash = primary ?? hash;
    if (!this.torrents.has(infoHash)) return;
    const gathered = this.found.get(hash)?.peers ?? new Map<string, PeerAddress>();
    if (gathered.size >= DISCOVERY_DEFAULTS.peersPerReport) return;
    gathered.set(addressKey(peer), peer);
    if (gathered.size > 1) return;
    this.found.set(hash, { source, peers: gathered });
    setImmediate(() => {
      this.found.delete(hash);
      this.report(infoHash, [...gathered.values()], source);
    });
  }

  private report(infoHash: string, peers: readonly PeerAddress[], source: PeerSource): void {
    if (!this.torrents.has(infoHash)) return;
    const good = peers.filter((peer) => isContactable(peer, this.options.allowLocal ?? false) && !this.isOurs(peer));
    if (good.length > 0) this.options.onPeers(infoHash, good.slice(0, DISCOVERY_DEFAULTS.peersPerReport), source);
  }

  private isOurs({ host, port }: PeerAddress): boolean {
    if (!this.ownPorts.has(port)) return false;
    return [this.options.host, this.options.publicHost, this.ownAddress.agreed].includes(host);
  }
}

/** The second DHT hash of a torrent: SHA-1 over its lowercase hex and `_JS`, 43 ASCII characters. */
export function secondaryHash(infoHash: string): string {
  return createHash('sha1').update(`${infoHash.toLowerCase()}_JS`, 'latin1').digest('hex');
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
