import type { Peer } from '@seedfleet/bittorrent';
import { chainStatus, channelQuote, channelVerdict, type Bus } from '@seedfleet/bus';
import type { HostReason } from '@seedfleet/exchange';
import type { Shelf, ShelvedTorrent, TorrentOnSale } from '../content/shelf.js';
import type { Lease, LeaseObstacle } from '../lease/lease.js';
import type { Origin } from '../limits/origin.js';
import type { Payments } from '../payments/payments.js';
import { SellerConnection } from './seller-connection.js';
import type { SellingServices } from './services.js';

const TICK_MS = 1_000;
/** Connections that hear news in one go: a new fee may be a new `sell` for each, some 30 µs of work. */
const SLICE = 100;
/** A buyer is in the paid session a round trip after its handshake, unless its user starts it later. */
const EXPENDABLE_AFTER_MS = 10_000;

/** All connections of the node, and the news that concerns many of them: fees, verdicts, the chain, the lease. */
export class SalesFloor {
  private readonly connections = new Set<SellerConnection>();
  /** The same by torrent: news of thousands of torrents must not look at thousands of connections each. */
  private readonly byTorrent = new Map<string, Set<SellerConnection>>();
  private readonly serving = new Map<string, SellerConnection>();
  private subscriptions: { unsubscribe(): void }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private obstacle: LeaseObstacle | undefined = 'watermark-stale';
  private draining = false;
  private pieces = 0;
  private bytes = 0;
  private onServingEmpty: (() => void) | undefined;

  constructor(
    private readonly parts: {
      readonly services: SellingServices;
      readonly bus: Bus;
      readonly payments: Payments;
      readonly lease: Lease;
      readonly shelf: Shelf;
    },
  ) {
    parts.shelf.listen({
      changed: (torrent) => this.onTorrentChanged(torrent),
      removed: (infoHash) => {
        for (const connection of this.connectionsOf(infoHash)) connection.close('takedown');
      },
    });
  }

  start(): void {
    const { bus, services, lease } = this.parts;
    this.subscriptions = [
      bus.subscribe(channelQuote, [], ({ settlementFeeSat, draining }) => {
        services.quotes.onFee(settlementFeeSat, draining);
        this.inSlices((connection) => connection.onNewTerms());
      }),
      bus.subscribe(channelVerdict, [services.nodeId], (verdict) =>
        this.serving.get(verdict.channelId)?.onVerdict(verdict),
      ),
      bus.subscribe(chainStatus, [], ({ tip }) => {
        lease.onChainReport(tip.medianTimePast);
        this.tick();
      }),
    ];
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  get servingCount(): number {
    return this.serving.size;
  }

  /** Pieces paid since the node started. */
  get piecesSold(): number {
    return this.pieces;
  }

  /** Their bytes, as far as they were delivered when they were paid. */
  get bytesSold(): number {
    return this.bytes;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Takes in a peer after its handshake. */
  welcome(peer: Peer, torrent: TorrentOnSale, origin: Origin, onClosed: () => void): void {
    const { services } = this.parts;
    const connection: SellerConnection = new SellerConnection(services, peer, {
      torrent,
      origin,
      mayServe: () => this.obstacle === undefined,
      onChannel: (channelId, isServing) => this.onChannel(channelId, isServing ? connection : undefined),
      onSold: (bytes) => {
        this.pieces += 1;
        this.bytes += bytes;
      },
      onClosed: () => {
        this.connections.delete(connection);
        this.forget(connection);
        services.metrics.connections.set(this.connections.size);
        onClosed();
      },
    });
    this.connections.add(connection);
    const ofTorrent = this.byTorrent.get(torrent.infoHash) ?? new Set();
    this.byTorrent.set(torrent.infoHash, ofTorrent.add(connection));
    services.metrics.connectionsOpened.inc({ direction: peer.direction });
    services.metrics.connections.set(this.connections.size);
    connection.start();
  }

  /** Lets the oldest peer go that does not buy, for one that might. False where all are in a paid session. */
  makeRoom(): boolean {
    for (const connection of this.connections) {
      if (!connection.isExpendable(EXPENDABLE_AFTER_MS)) continue;
      connection.drop('crowded-out');
      return true;
    }
    return false;
  }

  onStored(channelId: string, k: number): void {
    this.serving.get(channelId)?.onStored(k);
  }

  /** The intake commits: news for the lease. */
  onWatermark(partition: number): void {
    this.parts.lease.onWatermark(partition);
    this.checkLease();
  }

  /**
   * Takes in nobody new, lets idle peers go, and lets channels run on for at most so long; then ends them. Resolves when
   * no channel is left.
   */
  async drain(maxMs: number): Promise<void> {
    this.draining = true;
    this.closeAll('shutdown', (connection) => connection.status().channel === undefined);
    if (this.serving.size > 0) {
      this.parts.services.logger.info({ channels: this.serving.size, maxMs }, 'draining');
      const late = setTimeout(() => this.closeAll('shutdown', () => true), maxMs);
      await new Promise<void>((resolve) => (this.onServingEmpty = resolve));
      clearTimeout(late);
    }
    this.closeAll('shutdown', () => true);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private onChannel(channelId: string, connection: SellerConnection | undefined): void {
    if (connection === undefined) this.serving.delete(channelId);
    else this.serving.set(channelId, connection);
    if (this.serving.size === 0) this.onServingEmpty?.();
  }

  private tick(): void {
    const { services, payments, lease, shelf } = this.parts;
    this.checkLease();
    this.inSlices((connection) => connection.onTick(lease.medianTimePast));
    for (const channelId of payments.waitingLongerThan(services.policy.timeouts.publishCloseMs)) {
      this.serving.get(channelId)?.close('storage-timeout');
    }
    services.metrics.sources.set(services.sources.count);
    services.metrics.exposureBytes.set(services.exposure.bytes);
    services.metrics.channels.set({ state: 'serving' }, this.serving.size);
    services.metrics.channels.set({ state: 'joined' }, services.joins.count);
    for (const [state, count] of shelf.counts()) services.metrics.torrents.set({ state }, count);
  }

  /** Does something for all connections, with the event loop let go in between where there are many. */
  private inSlices(action: (connection: SellerConnection) => void): void {
    const all = [...this.connections];
    const slice = (from: number): void => {
      for (const connection of all.slice(from, from + SLICE)) if (this.connections.has(connection)) action(connection);
      if (from + SLICE < all.length) setImmediate(() => slice(from + SLICE));
    };
    slice(0);
  }

  /** Pauses or resumes all channels when the node loses or regains its right to send pieces. */
  private checkLease(): void {
    const { services, payments, lease } = this.parts;
    const obstacle = lease.obstacle(payments.oldestUnacknowledgedMs());
    services.metrics.leaseHeld.set(obstacle === undefined ? 1 : 0);
    if (obstacle === this.obstacle) return;
    const before = this.obstacle;
    this.obstacle = obstacle;
    if (obstacle === undefined) services.logger.info('pieces may leave');
    else services.logger.warn({ code: obstacle, before }, 'no new pieces');
    const type = obstacle === undefined ? 'resume-serving' : 'pause-serving';
    for (const connection of [...this.serving.values()]) connection.dispatch({ type });
  }

  /** The reason no piece may leave now, for health. */
  get leaseObstacle(): LeaseObstacle | undefined {
    return this.obstacle;
  }

  private onTorrentChanged(torrent: ShelvedTorrent): void {
    const sold = this.parts.shelf.onSale(torrent.infoHash) !== undefined;
    for (const connection of this.connectionsOf(torrent.infoHash)) {
      if (sold) connection.onNewTerms();
      else if (connection.status().channel === undefined) connection.close('operator');
    }
  }

  /** A copy: what is done to a connection may end it. */
  private connectionsOf(infoHash: string): SellerConnection[] {
    return [...(this.byTorrent.get(infoHash) ?? [])];
  }

  private forget(connection: SellerConnection): void {
    const ofTorrent = this.byTorrent.get(connection.infoHash);
    ofTorrent?.delete(connection);
    if (ofTorrent?.size === 0) this.byTorrent.delete(connection.infoHash);
  }

  private closeAll(reason: HostReason, which: (connection: SellerConnection) => boolean): void {
    for (const connection of [...this.connections]) if (which(connection)) connection.close(reason);
  }
}
