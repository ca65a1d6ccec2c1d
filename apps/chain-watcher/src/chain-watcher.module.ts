import { Inject, Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CoreNode, listenForHints } from '@seedfleet/bitcoin-node';
import { chainBroadcastChanged, chainOrders, chainOutputChanged, ensureStream } from '@seedfleet/bus';
import { createPrismaClient, Retention } from '@seedfleet/persistence';
import { retentionMetrics, type ServiceParts } from '@seedfleet/service-kit';
import { BroadcastsController } from './broadcasting/broadcasts.controller.js';
import { Broadcaster } from './broadcasting/broadcaster.js';
import { feeSource, type ChainWatcherConfig } from './config.js';
import { MAX_WAITING_WORK, NODE_RETRY_MS } from './defaults.js';
import { FeeWatch } from './fees/fee-rates.js';
import { ChainFollower } from './following/chain-follower.js';
import { ChainWatch } from './following/chain-watch.js';
import { CHAIN_METRICS, chainMetrics } from './metrics.js';
import { DatedOrders } from './orders/dated-orders.js';
import { OrderSender } from './orders/order-sender.js';
import { OrdersController } from './orders/orders.controller.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { CHAIN_RULES } from './retention/rules.js';
import { Serial } from './serial.js';
import { catchingUp, refuseOtherNetwork, refuseWithoutDatabase, staleness, unreachable } from './start-checks.js';
import { Turn } from './standby/turn.js';
import { ChainStatus } from './status/chain-status.js';
import { StatusController } from './status/status.controller.js';
import { ChainStore } from './store/chain-store.js';
import { StoreMetrics } from './store/store-metrics.js';
import { MempoolWatch } from './watching/mempool-watch.js';
import { OutputWatcher } from './watching/output-watcher.js';
import { OutputsController } from './watching/outputs.controller.js';

/** The running parts, started once it is this process's turn, and stopped in order. */
class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  #stopHints: (() => void) | undefined;
  #begun: Promise<void> | undefined;

  constructor(
    private readonly zmqAddress: string | undefined,
    private readonly parts: {
      node: CoreNode;
      store: ChainStore;
      watch: ChainWatch;
      status: ChainStatus;
      relay: OutboxRelay;
      storeMetrics: StoreMetrics;
      retention: Retention;
      sender: OrderSender;
      turn: Turn;
    },
  ) {}

  onModuleInit(): void {
    this.parts.turn.start(() => (this.#begun ??= this.begin()));
  }

  /** Requests are answered only after this: the chain is then followed up to the node's tip. */
  private async begin(): Promise<void> {
    const { watch, status, relay, storeMetrics, retention, sender } = this.parts;
    await watch.start();
    await status.start();
    relay.start();
    storeMetrics.start();
    retention.start();
    sender.start();
    if (this.zmqAddress !== undefined) {
      this.#stopHints = listenForHints({ address: this.zmqAddress, onHint: (hint) => watch.hint(hint) });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    const { node, store, watch, status, relay, storeMetrics, retention, sender, turn } = this.parts;
    // One that stood by has nothing to stop.
    await this.#begun?.catch(() => undefined);
    this.#stopHints?.();
    status.stop();
    storeMetrics.stop();
    await sender.stop();
    await watch.stop();
    await relay.stop();
    await retention.stop();
    // The one that stands by goes on from here.
    await turn.stop();
    node.close();
    await store.prisma.$disconnect();
  }
}

/** Builds the chain watcher. Rejects, naming the cause, if the node is unreachable or follows another chain. */
@Module({})
export class ChainWatcherModule {
  static async with(service: ServiceParts<ChainWatcherConfig>): Promise<DynamicModule> {
    const { config, logger, registry, health, bus } = service;
    const metrics = chainMetrics(registry);
    const node = new CoreNode({
      url: config.BTC_RPC,
      cookieFile: config.BTC_COOKIE,
      retryForMs: NODE_RETRY_MS,
      onAttemptFailed: (error) => metrics.rpcErrors.inc({ code: error.code }),
    });
    await refuseOtherNetwork(config);
    await ensureStream(bus, chainOutputChanged, config.NATS_REPLICAS);
    await ensureStream(bus, chainBroadcastChanged, config.NATS_REPLICAS);
    if (config.TOWER) await ensureStream(bus, chainOrders, config.NATS_REPLICAS);

    const { turn, workUrl } = Turn.of({ databaseUrl: config.DATABASE_URL, registry, health, logger });
    const store = new ChainStore(createPrismaClient(workUrl));
    await refuseWithoutDatabase(store, config);
    const serial = new Serial(MAX_WAITING_WORK);
    const follower = new ChainFollower(node, store);
    const outputs = new OutputWatcher(node, store, follower);
    const mempool = new MempoolWatch(node, store);
    const broadcaster = new Broadcaster(node, store, follower, (error) =>
      logger.warn({ code: error.code }, `a transaction could not be handed to the node: ${error.message}`),
    );
    const relay = new OutboxRelay(store.prisma, bus, logger);
    const status = new ChainStatus(bus, new FeeWatch(node, feeSource(config)), metrics, logger, () => turn.isActive);
    const watch = new ChainWatch({
      node,
      store,
      follower,
      mempool,
      outputs,
      broadcaster,
      serial,
      metrics,
      logger,
      onRound: (tip, moved) => {
        status.observed(tip, moved);
        relay.poke();
      },
    });
    health.register({ name: 'chain', check: () => (turn.standsBy ? unreachable(node) : staleness(watch)) });
    health.register({ name: 'node-sync', check: () => catchingUp(node, config) });
    health.register({
      name: 'postgres',
      check: async () => (await store.prisma.$queryRaw`SELECT 1`, null),
    });
    const removed = retentionMetrics(registry);
    const retention = new Retention(store.prisma, {
      owner: 'chain',
      rules: CHAIN_RULES,
      onRemoved: (kind, rows) => removed.rows.inc({ kind }, rows),
      onDone: () => removed.doneAt.set(Date.now() / 1_000),
      onFailure: (kind, failure) => logger.warn({ kind, error: String(failure) }, 'what is past its time stays'),
    });
    const orders = new DatedOrders(store.prisma, config.TOWER);
    const sender = new OrderSender({
      node,
      orders,
      follower,
      watch,
      broadcaster,
      serial,
      holder: config.TOWER ? 'fleet' : 'alone',
      graceMs: config.ORDER_GRACE_SECONDS * 1_000,
      logger,
      onSent: () => relay.poke(),
    });
    const storeMetrics = new StoreMetrics(store, orders, metrics, logger);
    const parts = { node, store, watch, status, relay, storeMetrics, retention, sender, turn };
    const lifecycle = new Lifecycle(config.BTC_ZMQ, parts);
    return {
      module: ChainWatcherModule,
      controllers: [StatusController, OutputsController, BroadcastsController, OrdersController],
      providers: [
        { provide: CoreNode, useValue: node },
        { provide: ChainStore, useValue: store },
        { provide: Serial, useValue: serial },
        { provide: OutputWatcher, useValue: outputs },
        { provide: Broadcaster, useValue: broadcaster },
        { provide: OutboxRelay, useValue: relay },
        { provide: ChainStatus, useValue: status },
        { provide: ChainWatch, useValue: watch },
        { provide: DatedOrders, useValue: orders },
        { provide: CHAIN_METRICS, useValue: metrics },
        { provide: Turn, useValue: turn },
        { provide: Lifecycle, useValue: lifecycle },
      ],
    };
  }

  constructor(@Inject(Lifecycle) readonly lifecycle: Lifecycle) {}
}
