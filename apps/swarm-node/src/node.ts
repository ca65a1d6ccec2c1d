import { join } from 'node:path';
import { createPeerId, PieceStore } from '@seedfleet/bittorrent';
import { PAYMENT_PARTITIONS, type Bus } from '@seedfleet/bus';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { policyWith } from '@seedfleet/policy';
import { diskMetrics, type HealthRegistry, type Logger, type Registry } from '@seedfleet/service-kit';
import { addressProblem, drainMs, isRegtest, publicHost, type SwarmNodeConfig } from './config.js';
import type { ContentFetcher } from './content/fetching/content-fetcher.js';
import { openFetching } from './content/fetching/open-fetching.js';
import { NodeFiles } from './content/node-files.js';
import { Shelf } from './content/shelf.js';
import { Verifier } from './content/verifier.js';
import { FreeBudget } from './giving/free-budget.js';
import { GivenFile, readGiven } from './giving/given-file.js';
import { DemandBook } from './demand/demand-book.js';
import { DemandReports } from './demand/demand-reports.js';
import { Lease } from './lease/lease.js';
import { ConnectionLimits } from './limits/connection-limits.js';
import { Exposure } from './limits/exposure.js';
import { JoinPlaces } from './limits/join-places.js';
import { SourceScores } from './limits/source-scores.js';
import { SpeedTestBudget } from './limits/speed-test-budget.js';
import { NodeMetrics } from './metrics/node-metrics.js';
import { OpenChannels } from './payments/open-channels.js';
import { Payments } from './payments/payments.js';
import { Outreach } from './discovery/outreach.js';
import { Door } from './peers/door.js';
import { Entrance } from './peers/entrance.js';
import { Gossip } from './peers/gossip.js';
import { TorrentSides } from './peers/torrent-sides.js';
import { Assignments } from './registration/assignments.js';
import { Leftovers } from './registration/leftovers.js';
import { Registration } from './registration/registration.js';
import { SeedingReports } from './registration/seeding-reports.js';
import { Quotes } from './selling/quotes.js';
import { SalesFloor } from './selling/sales-floor.js';
import type { SellingServices } from './selling/services.js';

export interface NodeParts {
  readonly config: SwarmNodeConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly health: HealthRegistry;
  readonly bus: Bus;
}

const MIB = 1024 * 1024;
/** How long the last payments may take to be acknowledged at a stop. */
const LAST_PAYMENTS_MS = 10_000;
const VERSION = '0.1.0';

/** A swarm node: everything it is made of, and the order of its start and stop. */
export class SwarmNode {
  private broughtIn = false;

  private constructor(
    private readonly parts: NodeParts,
    private readonly pieces: PieceStore,
    private readonly verifier: Verifier,
    private readonly fetcher: ContentFetcher,
    private readonly payments: Payments,
    private readonly floor: SalesFloor,
    private readonly door: Door,
    private readonly outreach: Outreach,
    private readonly assignments: Assignments,
    private readonly reports: SeedingReports,
    private readonly demandReports: DemandReports,
    private readonly registration: Registration,
    private readonly given: GivenFile,
    private readonly addressNow: () => string,
  ) {}

  /** Builds the node and opens its door. Rejects when the disk or the address does not let it. */
  static async open(parts: NodeParts): Promise<SwarmNode> {
    const { config, logger, bus } = parts;
    const nodeId = config.NODE_ID;
    const nowMs = (): number => performance.now();
    const policy = policyWith({ limitLocalAddresses: config.LIMIT_LOCAL_ADDRESSES });
    const metrics = new NodeMetrics(parts.registry);
    const files = await NodeFiles.open(config.DATA_DIR);
    diskMetrics(parts.registry, config.DATA_DIR);
    const pieces = new PieceStore({ maxBytes: config.PIECE_MEMORY_MIB * MIB });
    const shelf = new Shelf();
    const verifier = new Verifier({
      shelf,
      files,
      loader: pieces.loader,
      logger,
      metrics,
      onSpoilt: (infoHash) => fetching.fetcher.enqueue(infoHash),
    });
    const fetching = await openFetching({ config, shelf, verifier, loader: pieces.loader, logger, metrics });
    const leftovers = new Leftovers({ nodeId, bus, files, shelf, logger, ...fetching });
    await leftovers.open();
    const lease = new Lease(policy, nowMs, PAYMENT_PARTITIONS);
    const payments = new Payments({
      nodeId,
      bus,
      policy,
      logger,
      metrics,
      nowMs,
      openChannels: OpenChannels.read(join(config.DATA_DIR, 'open-channels'), logger),
      onStored: (channelId, k) => floor.onStored(channelId, k),
      onWatermark: (partition) => floor.onWatermark(partition),
    });
    const ecdsa = bestEcdsa();
    logger.info({ ecdsa: ecdsa.name }, 'signature checks');
    const givenPath = join(config.DATA_DIR, 'given-away.json');
    const free = new FreeBudget(() => Date.now(), readGiven(givenPath));
    const services: Mutable<SellingServices> = {
      nodeId,
      network: config.SEEDFLEET_NETWORK,
      policy,
      ecdsa,
      bus,
      pieces,
      verifier,
      payments,
      quotes: new Quotes(policy),
      exposure: new Exposure(policy, (limit) => metrics.exposureWaits.inc({ limit })),
      joins: new JoinPlaces(policy),
      sources: new SourceScores(policy, nowMs, (cost) => metrics.sourceCosts.inc({ cost })),
      speedTests: new SpeedTestBudget(policy, config.BANDWIDTH_BYTES_PER_SECOND, nowMs),
      demand: new DemandBook(),
      free,
      metrics,
      logger,
      peerPort: config.PEER_PORT,
      nowMs,
    };
    const floor = new SalesFloor({ services, bus, payments, lease, shelf });
    const peerId = createPeerId();
    const sides = new TorrentSides(shelf);
    const limits = new ConnectionLimits(policy, config.MAX_CONNECTIONS);
    const { sources } = services;
    const regtest = isRegtest(config);
    const gossip = new Gossip({ policy, regtest, metrics });
    const entrance = new Entrance({ shelf, floor, limits, gossip, metrics });
    const meeting = {
      regtest,
      gossip,
      peerId,
      policy,
      shelf,
      sides,
      floor,
      limits,
      sources,
      entrance,
      metrics,
      logger,
      nowMs,
    };
    const door = new Door({ ...meeting, host: config.PEER_HOST, port: config.PEER_PORT, utp: config.UTP });
    const port = await door.open();
    services.peerPort = port;
    const outreach = await Outreach.open({ ...meeting, config, peerPort: port, utp: door.utp });
    const peerAddress = (): string => hostPort(publicHost(config, outreach.detectedAddress), port);
    const reports = new SeedingReports({ nodeId, bus, shelf, logger });
    const demandReports = new DemandReports({ nodeId, bus, book: services.demand, logger });
    const assignments = new Assignments({
      nodeId,
      bus,
      shelf,
      files,
      verifier,
      ...fetching,
      leftovers,
      logger,
      onFollowed: () => outreach.begin(),
      onSettled: once(() => metrics.torrentsSettledSeconds.set(performance.now() / 1000)),
    });
    const registration = new Registration({
      nodeId,
      peerAddress,
      version: VERSION,
      place: {
        zone: config.ZONE,
        capacityBytes: config.CAPACITY_BYTES ?? null,
        maxTorrents: config.MAX_TORRENTS ?? null,
        weight: config.PLACEMENT_WEIGHT,
      },
      bus,
      logger,
      vitals: () => vitalsOf(services, floor),
      onRegistered: () => {
        reports.repeatAll();
        void assignments.sync();
      },
    });
    const address = (): string => publicHost(config, outreach.detectedAddress);
    parts.health.register({ name: 'address', check: () => addressProblem(config, address()) });
    parts.health.register({ name: 'lease', check: () => floor.leaseObstacle ?? null });
    parts.health.register({
      name: 'registration',
      check: () => (registration.isRegistered ? null : 'not registered with the fleet yet'),
    });
    return new SwarmNode(
      parts,
      pieces,
      verifier,
      fetching.fetcher,
      payments,
      floor,
      door,
      outreach,
      assignments,
      reports,
      demandReports,
      registration,
      new GivenFile(givenPath, free, logger),
      peerAddress,
    );
  }

  start(): void {
    this.bringIn();
    this.payments.start();
    this.given.start();
    this.floor.start();
    this.reports.start();
    this.demandReports.start();
    this.registration.start();
    this.outreach.start();
    void this.followBroker();
  }

  /** Begins to bring in the node's torrents; `start` does it too. */
  bringIn(): void {
    if (this.broughtIn) return;
    this.broughtIn = true;
    this.assignments.start();
  }

  /** HOST:PORT for leechers. */
  get peerAddress(): string {
    return this.addressNow();
  }

  /** UDP port of the node's DHT, if it takes part in it. */
  get dhtPort(): number | undefined {
    return this.outreach.dhtPort;
  }

  /** Asks the fleet now for the node's torrents. */
  syncAssignments(): Promise<void> {
    return this.assignments.sync();
  }

  /** Drains, makes the last payments durable, and lets go of everything. */
  async stop(): Promise<void> {
    const { config, logger } = this.parts;
    this.door.close();
    const farewell = this.outreach.stop();
    await this.assignments.stop();
    const fetched = this.fetcher.stop();
    const drained = this.floor.drain(drainMs(config));
    this.registration.beat();
    await Promise.all([drained, farewell, fetched]);
    const complete = await this.payments.close(LAST_PAYMENTS_MS);
    if (complete) logger.info('drained; all payments are acknowledged');
    else logger.error('stopping with payments that the broker has not acknowledged');
    this.registration.beat();
    this.registration.stop();
    this.reports.stop();
    await this.demandReports.stop();
    this.floor.stop();
    this.door.closeUtp();
    this.given.stop();
    await this.verifier.stop();
    await this.pieces.close();
  }

  /** After the broker was away, what it acknowledged may be gone and the fleet may have forgotten us. */
  private async followBroker(): Promise<void> {
    for await (const status of this.parts.bus.connection.status()) {
      if (status.type !== 'reconnect') continue;
      this.payments.onReconnected();
      void this.registration.register();
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function vitalsOf(services: SellingServices, floor: SalesFloor) {
  return {
    connections: floor.connectionCount,
    activeChannels: floor.servingCount,
    joinedChannels: services.joins.count,
    piecesSold: floor.piecesSold,
    bytesSold: floor.bytesSold,
    exposureBytes: services.exposure.bytes,
    draining: floor.isDraining,
  };
}
