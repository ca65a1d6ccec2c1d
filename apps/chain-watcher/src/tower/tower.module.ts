import { Inject, Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CoreNode, listenForHints } from '@seedfleet/bitcoin-node';
import { createPrismaClient, type PrismaClient } from '@seedfleet/persistence';
import { Gauge, type LoneParts } from '@seedfleet/service-kit';
import { Broadcaster } from '../broadcasting/broadcaster.js';
import type { ChainWatcherConfig } from '../config.js';
import { MAX_WAITING_WORK, NODE_RETRY_MS, TOWER_OUTBOX_DROP_MS } from '../defaults.js';
import { ChainFollower } from '../following/chain-follower.js';
import { ChainWatch } from '../following/chain-watch.js';
import { chainMetrics } from '../metrics.js';
import { DatedOrders } from '../orders/dated-orders.js';
import { OrderSender } from '../orders/order-sender.js';
import { Serial } from '../serial.js';
import { catchingUp, refuseOtherNetwork, refuseWithoutDatabase, staleness } from '../start-checks.js';
import { ChainStore, type FollowedBlock } from '../store/chain-store.js';
import { StoreMetrics } from '../store/store-metrics.js';
import { MempoolWatch } from '../watching/mempool-watch.js';
import { OutputWatcher } from '../watching/output-watcher.js';
import { OrderIntake } from './order-intake.js';

interface TowerParts {
  readonly node: CoreNode;
  readonly prisma: PrismaClient;
  readonly watch: ChainWatch;
  readonly sender: OrderSender;
  readonly intake: OrderIntake;
  readonly storeMetrics: StoreMetrics;
}

/** The running parts, started and stopped in order. */
class TowerLife implements OnModuleInit, OnApplicationShutdown {
  #stopHints: (() => void) | undefined;
  #dropping: NodeJS.Timeout | undefined;

  constructor(
    private readonly zmqAddress: string | undefined,
    private readonly parts: TowerParts,
  ) {}

  async onModuleInit(): Promise<void> {
    const { watch, sender, intake, storeMetrics, prisma } = this.parts;
    await watch.start();
    sender.start();
    await intake.start();
    storeMetrics.start();
    // Nobody hears the tower's events; what it has to say it says in its acknowledgements.
    this.#dropping = setInterval(() => {
      prisma.chainOutbox.deleteMany().catch(() => undefined);
    }, TOWER_OUTBOX_DROP_MS);
    if (this.zmqAddress !== undefined) {
      this.#stopHints = listenForHints({ address: this.zmqAddress, onHint: (hint) => watch.hint(hint) });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    const { node, prisma, watch, sender, intake, storeMetrics } = this.parts;
    this.#stopHints?.();
    clearInterval(this.#dropping);
    storeMetrics.stop();
    await intake.stop();
    await sender.stop();
    await watch.stop();
    node.close();
    await prisma.$disconnect();
  }
}

/** A chain-watcher elsewhere, with a node and a database of its own and no key, that sends what the fleet can't any more. */
@Module({})
export class TowerModule {
  static async with(service: LoneParts<ChainWatcherConfig>): Promise<DynamicModule> {
    const { config, logger, registry, health, connect } = service;
    const metrics = chainMetrics(registry);
    const node = new CoreNode({
      url: config.BTC_RPC,
      cookieFile: config.BTC_COOKIE,
      retryForMs: NODE_RETRY_MS,
      onAttemptFailed: (error) => metrics.rpcErrors.inc({ code: error.code }),
    });
    await refuseOtherNetwork(config);
    const store = new ChainStore(createPrismaClient(config.DATABASE_URL));
    await refuseWithoutDatabase(store, config);
    const { prisma } = store;
    const serial = new Serial(MAX_WAITING_WORK);
    const follower = new ChainFollower(node, store);
    const outputs = new OutputWatcher(node, store, follower);
    const mempool = new MempoolWatch(node, store);
    const broadcaster = new Broadcaster(node, store, follower, (error) =>
      logger.warn({ code: error.code }, `a transaction could not be handed to the node: ${error.message}`),
    );
    const onRound = (tip: FollowedBlock): void => {
      metrics.tipHeight.set(tip.height);
      metrics.tipMtp.set(tip.medianTimePast);
      metrics.observedAt.set(Date.now() / 1_000);
    };
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
      onRound,
    });
    const orders = new DatedOrders(prisma, false);
    const intake = new OrderIntake(connect, orders, metrics, logger);
    const sender = new OrderSender({
      node,
      orders,
      follower,
      watch,
      broadcaster,
      serial,
      holder: 'tower',
      graceMs: config.ORDER_GRACE_SECONDS * 1_000,
      logger,
      onSent: (id) => intake.report(id),
    });
    new Gauge({
      name: 'seedfleet_tower_connected',
      help: "1 while the tower reaches the fleet's broker",
      registers: [registry],
      collect() {
        this.set(intake.isConnected ? 1 : 0);
      },
    });
    health.register({ name: 'chain', check: () => staleness(watch) });
    health.register({ name: 'node-sync', check: () => catchingUp(node, config) });
    health.register({ name: 'postgres', check: async () => (await prisma.$queryRaw`SELECT 1`, null) });
    const storeMetrics = new StoreMetrics(store, orders, metrics, logger);
    const life = new TowerLife(config.BTC_ZMQ, { node, prisma, watch, sender, intake, storeMetrics });
    return { module: TowerModule, providers: [{ provide: TowerLife, useValue: life }] };
  }

  constructor(@Inject(TowerLife) readonly life: TowerLife) {}
}
