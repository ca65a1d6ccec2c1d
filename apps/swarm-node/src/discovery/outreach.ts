import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '@seedfleet/service-kit';
import { bootstrapNodes, isRegtest, trackersOf, type SwarmNodeConfig } from '../config.js';
import type { Shelf } from '../content/shelf.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import { Dialler, type DiallerParts } from '../peers/dialler.js';
import type { Gossip } from '../peers/gossip.js';
import { KnownNodes } from './known-nodes.js';
import { SwarmSearch } from './swarm-search.js';

export interface OutreachParts extends Omit<DiallerParts, 'localAddress' | 'encryption' | 'maxConnections'> {
  readonly config: SwarmNodeConfig;
  readonly gossip: Gossip;
  /** TCP port where peers are taken. */
  readonly peerPort: number;
  readonly shelf: Shelf;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
}

/** How the node meets peers it has never heard of: it announces its torrents, looks for others, and dials them. */
export class Outreach {
  private constructor(
    private readonly search: SwarmSearch,
    private readonly dialler: Dialler,
    private readonly gossip: Gossip,
  ) {}

  static async open(parts: OutreachParts): Promise<Outreach> {
    const { config, peerId, shelf, peerPort, metrics, logger } = parts;
    const { PEER_HOST: host, PEER_PUBLIC_HOST: publicHost } = config;
    const dialler = new Dialler({
      ...parts,
      localAddress: host === '::' || host === '0.0.0.0' ? undefined : host,
      encryption: config.PEER_ENCRYPTION,
      maxConnections: config.MAX_CONNECTIONS,
    });
    const search = await SwarmSearch.open({
      options: {
        peerId,
        host,
        trackers: trackersOf(config),
        privateTrackers: config.PRIVATE_TRACKERS,
        allowLocal: isRegtest(config),
        ...(publicHost !== undefined && isIP(publicHost) !== 0 ? { publicHost } : {}),
      },
      dht: config.DHT ? { port: config.DHT_PORT, bootstrap: bootstrapNodes(config) } : null,
      datagrams: parts.utp?.datagrams,
      peerPort,
      shelf,
      knownNodes: new KnownNodes(join(config.DATA_DIR, 'dht-nodes')),
      onPeers: (infoHash, peers, source) => dialler.offer(infoHash, peers, source === 'dht-secondary'),
      onLeft: (infoHash) => dialler.forget(infoHash),
      metrics,
      logger,
    });
    logger.info({ dhtPort: search.dhtPort, trackers: trackersOf(config) }, 'discovery');
    return new Outreach(search, dialler, parts.gossip);
  }

  start(): void {
    this.search.start();
    this.dialler.start();
    this.gossip.start((infoHash, peers) => this.dialler.offer(infoHash, peers, false));
  }

  /** The node's torrents are on the shelf: they may be announced. */
  begin(): void {
    void this.search.begin();
  }

  /** The DHT's UDP port, if there is a DHT. */
  get dhtPort(): number | undefined {
    return this.search.dhtPort;
  }

  /** Our address as strangers agree to see it. */
  get detectedAddress(): string | undefined {
    return this.search.detectedAddress;
  }

  /** Dials nobody more, and takes leave of the trackers. */
  stop(): Promise<void> {
    this.dialler.stop();
    this.gossip.stop();
    return this.search.stop();
  }
}
