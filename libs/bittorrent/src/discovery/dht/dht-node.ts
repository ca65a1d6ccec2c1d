import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import DHT from 'bittorrent-dht';
import { success, type Result } from '../../result.js';
import { addressKey, parseHostPort, type PeerAddress } from '../addresses.js';
import { Allowance } from '../allowance.js';
import { DISCOVERY_DEFAULTS } from '../defaults.js';
import type { DatagramPort } from './datagrams.js';
import { GuardedSocket, type BindError } from './guarded-socket.js';

export interface DhtNodeOptions {
  /** IPv4 address to bind. */
  readonly host: string;
  readonly port: number;
  /** A port that is bound already, instead of these. */
  readonly datagrams?: DatagramPort;
  /** HOST:PORT of nodes to join through. */
  readonly bootstrap: readonly string[];
  readonly allowLocal: boolean;
  /** Our IPv4 address for others, where it is known: nodes that ask us then hear of us. */
  readonly publicHost: string | undefined;
  /** TCP port where we take peers of a hash (lowercase hex), if we do. */
  readonly ownPort: (hash: string) => number | undefined;
  readonly packetsPerSecond: number;
  /** A peer of a hash (lowercase hex). */
  readonly onPeer: (hash: string, peer: PeerAddress) => void;
  readonly onOurAddress: (address: Uint8Array, from: string) => void;
}

/**
 * bittorrent-dht with answers that fit a packet and name us first. What it would note of our own announces takes a
 * kilobyte per torrent, out of the room that there is for others'.
 */
class BoundedDht extends DHT {
  constructor(options: ConstructorParameters<typeof DHT>[0], ownRecord: (hash: string) => Buffer | undefined) {
    super(options);
    const stored = this._peers;
    const read = stored.get.bind(stored);
    stored.get = (hash, most = DISCOVERY_DEFAULTS.peersPerAnswer) => {
      const others = read(hash, Math.min(most, DISCOVERY_DEFAULTS.peersPerAnswer));
      const own = ownRecord(hash);
      return own === undefined ? others : [own, ...others.slice(0, DISCOVERY_DEFAULTS.peersPerAnswer - 1)];
    };
  }
}

/** One node of the mainline DHT (BEP 5), IPv4. */
export class DhtNode {
  private readonly dht: DHT;
  private rejoin: NodeJS.Timeout | undefined;
  private rejoinMs: number = DISCOVERY_DEFAULTS.bootstrapAgainMs;
  private closed = false;

  private constructor(
    private readonly socket: GuardedSocket,
    private readonly packets: Allowance,
    private readonly options: DhtNodeOptions,
  ) {
    const { publicHost, ownPort } = options;
    const address = publicHost !== undefined && isIPv4(publicHost) ? publicHost.split('.').map(Number) : undefined;
    this.dht = new BoundedDht(
      {
        bootstrap: false,
        socket,
        concurrency: DISCOVERY_DEFAULTS.concurrentQueries,
        maxAge: DISCOVERY_DEFAULTS.storedPeerAgeMs,
        maxPeers: DISCOVERY_DEFAULTS.storedPeers,
        maxValues: 1,
      },
      (hash) => {
        const port = address === undefined ? undefined : ownPort(hash);
        return port === undefined ? undefined : Buffer.from([...(address ?? []), port >> 8, port & 0xff]);
      },
    );
    this.dht.on('peer', (peer: PeerAddress, hash: Buffer) => options.onPeer(hash.toString('hex'), peer));
    // Answers that nobody waits for any more, and the like; counted by the socket where it matters.
    this.dht.on('warning', () => undefined);
    this.dht.on('error', () => undefined);
    socket.emit('listening');
    void this.join();
  }

  static async open(options: DhtNodeOptions): Promise<Result<DhtNode, BindError>> {
    const burst = Math.max(DISCOVERY_DEFAULTS.packetBurst, options.packetsPerSecond);
    const packets = new Allowance(options.packetsPerSecond, burst);
    const bound = await GuardedSocket.open({ ...options, packets, packetBurst: burst });
    return bound.ok ? success(new DhtNode(bound.value, packets, options)) : bound;
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Whether the packet budget has something left. */
  get maySend(): boolean {
    return this.packets.available >= 1;
  }

  get traffic(): { readonly sent: number; readonly received: number; readonly dropped: number } {
    return this.socket;
  }

  /** HOST:PORT of the nodes known, good enough to join through next time. */
  knownNodes(): string[] {
    return this.dht.nodes.toArray().map(addressKey);
  }

  /**
   * Looks a hash up, and announces us under it when a port is given. Peers are reported as they are heard of. Resolves
   * when nothing more is to be expected.
   */
  async visit(hash: string, announcePort: number | null): Promise<void> {
    const bytes = Buffer.from(hash, 'hex');
    await this.settled((done) => this.dht.lookup(bytes, done));
    if (announcePort !== null) await this.settled((done) => this.dht.announce(bytes, announcePort, done));
  }

  close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.rejoin);
    return new Promise((resolve) => this.dht.destroy(resolve));
  }

  /** The library forgets some callbacks when nodes vanish, so nothing waits for it for ever. */
  private settled(work: (done: () => void) => void): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DISCOVERY_DEFAULTS.visitTimeoutMs);
      timer.unref();
      work(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private firstNode(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.dht.off('node', settle);
        resolve();
      };
      const timer = setTimeout(settle, DISCOVERY_DEFAULTS.bootstrapAnswerMs);
      timer.unref();
      this.dht.on('node', settle);
    });
  }

  /** Asks the bootstrap nodes, and again later while too few nodes are known. */
  private async join(): Promise<void> {
    if (this.dht.nodes.toArray().length < DISCOVERY_DEFAULTS.enoughNodes) {
      for (const text of this.options.bootstrap) {
        const address = parseHostPort(text);
        const host = address === undefined ? undefined : await resolveIpv4(address.host);
        if (this.closed) return;
        if (address !== undefined && host !== undefined) this.dht.addNode({ host, port: address.port });
      }
      // Nodes close to ourselves are the ones to know.
      await this.firstNode();
      await this.settled((done) => this.dht.lookup(this.dht.nodeId, done));
      if (this.closed) return;
    }
    this.rejoin = setTimeout(() => void this.join(), this.rejoinMs);
    this.rejoin.unref();
    this.rejoinMs = Math.min(this.rejoinMs * 2, DISCOVERY_DEFAULTS.bootstrapAgainMaxMs);
  }
}

async function resolveIpv4(host: string): Promise<string | undefined> {
  if (isIPv4(host)) return host;
  return lookup(host, { family: 4 }).then(
    ({ address }) => address,
    () => undefined,
  );
}
