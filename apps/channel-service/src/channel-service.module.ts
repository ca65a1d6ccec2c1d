import { Module, type DynamicModule, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { paymentStream } from '@seedfleet/bus';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import { childrenHelp, policyFaults, policyWith } from '@seedfleet/policy';
import { checkBrokerDurability, ConfigError, ensureDurableStream, type ServiceParts } from '@seedfleet/service-kit';
import { BooksRollUp } from './books/books-roll-up.js';
import { BooksWatch } from './books/books-watch.js';
import { ChainClient } from './chain/chain-client.js';
import { ChainNews } from './chain/chain-news.js';
import { ChainStatus } from './chain/chain-status.js';
import { Checkpoints } from './checkpoints/checkpoints.js';
import { HeldOrders } from './checkpoints/held-orders.js';
import { SettlementOrder } from './checkpoints/settlement-order.js';
import { openDatabase } from './channels/open-database.js';
import type { ChannelServiceConfig } from './config.js';
import { FundingController } from './funding/funding.controller.js';
import { FundingFollower } from './funding/funding-follower.js';
import { FundingService } from './funding/funding.service.js';
import { WorkFailures } from './channels/work-failures.js';
import { FundingWorker } from './funding/funding-worker.js';
import { KeyPool } from './keys/key-pool.js';
import { openSigner } from './keys/open-signer.js';
import { SignerWatch } from './keys/signer-watch.js';
import { ChannelMetrics } from './metrics/channel-metrics.js';
import { OpeningController } from './opening/opening.controller.js';
import { OpeningService } from './opening/opening.service.js';
import { PaymentConsumer } from './payments/payment-consumer.js';
import { PaymentIntake } from './payments/payment-intake.js';
import { PaymentMetrics } from './payments/payment-metrics.js';
import { QuarantineController } from './payments/quarantine.controller.js';
import { StreamWatch } from './payments/stream-watch.js';
import { QuotePublisher } from './quote/quote-publisher.js';
import { ChannelRetention } from './retention/channel-retention.js';
import { ChildPayer } from './settlement/child-payer.js';
import { CloseController } from './settlement/close.controller.js';
import { Deadlines } from './settlement/deadlines.js';
import { IntakeProgress } from './settlement/intake-progress.js';
import { Closing } from './settlement/closing.js';
import { Following } from './settlement/following.js';
import { MissingFunding } from './settlement/missing-funding.js';
import { SettlementMoves } from './settlement/settlement-moves.js';
import { SettlementService } from './settlement/settlement.service.js';
import { SettlementWake } from './settlement/settlement-wake.js';
import { SettlementWorker } from './settlement/settlement-worker.js';
import { OutboxRelay } from './story/outbox-relay.js';
import { Treasurer } from './treasury/treasurer.js';
import { TreasuryController } from './treasury/treasury.controller.js';
import { TreasuryFollower } from './treasury/treasury-follower.js';
import { TreasuryMetrics } from './treasury/treasury-metrics.js';
import { policyOf } from './policy.js';
import { CONFIG, DATABASE, ECDSA, NETWORK, POLICY, SIGNER } from './tokens.js';

/** Opens channels, verifies and stores payments. Has no private key. */
const INTAKE = [
  OpeningService,
  FundingFollower,
  FundingService,
  FundingWorker,
  PaymentMetrics,
  PaymentIntake,
  PaymentConsumer,
  StreamWatch,
  QuotePublisher,
];

/** Holds the keys and settles. */
const SETTLER = [
  SignerWatch,
  KeyPool,
  IntakeProgress,
  ChildPayer,
  HeldOrders,
  SettlementOrder,
  Checkpoints,
  SettlementMoves,
  MissingFunding,
  Following,
  Closing,
  SettlementService,
  SettlementWorker,
  Deadlines,
  BooksRollUp,
  BooksWatch,
  TreasuryFollower,
  Treasurer,
  TreasuryMetrics,
  ChannelRetention,
];

const EXPERIMENTAL =
  'Bitcoin Cash is experimental: no sale has been made on a real node yet; docs/decisions/0009-bitcoin-cash.md says what differs';

/** What both roles need. */
const SHARED = [WorkFailures, ChainClient, ChainStatus, ChainNews, SettlementWake, OutboxRelay, ChannelMetrics];

/** Ends the database's pool after everything that uses it has stopped. */
class DatabaseEnd implements OnApplicationShutdown {
  constructor(private readonly prisma: PrismaClient) {}

  onApplicationShutdown(): Promise<void> {
    return this.prisma.$disconnect();
  }
}

/** Builds the service for its role. Rejects, naming the cause, where database or seed are not to be had. */
@Module({})
export class ChannelServiceModule {
  static async with(service: ServiceParts<ChannelServiceConfig>): Promise<DynamicModule> {
    const { config, health, logger, bus, registry } = service;
    const policy = policyWith(policyOf(config));
    const faults = policyFaults(policy);
    if (faults.length > 0) throw new ConfigError(`policy: ${faults.join('; ')}`);
    const ecdsa = bestEcdsa();
    const prisma = await openDatabase(config.DATABASE_URL);
    health.register({ name: 'postgres', check: async () => (await prisma.$queryRaw`SELECT 1`, null) });
    const isIntake = config.ROLE !== 'settler';
    const isSettler = config.ROLE !== 'intake';
    if (isIntake) {
      await ensureDurableStream(service, paymentStream);
      await checkBrokerDurability(service, paymentStream);
    }
    const signer: Provider[] = isSettler
      ? [
          {
            provide: SIGNER,
            useValue: await openSigner({ config, bus, logger, registry, database: prisma, ecdsa, policy }),
          },
        ]
      : [];
    logger.info({ role: config.ROLE, network: config.SEEDFLEET_NETWORK, ecdsa: ecdsa.name }, 'starting');
    if (!childrenHelp(config.SEEDFLEET_NETWORK)) logger.warn({ network: config.SEEDFLEET_NETWORK }, EXPERIMENTAL);
    return {
      module: ChannelServiceModule,
      controllers: [
        ...(isIntake ? [OpeningController, FundingController, QuarantineController] : []),
        ...(isSettler ? [TreasuryController, CloseController] : []),
      ],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: DATABASE, useValue: prisma },
        { provide: ECDSA, useValue: ecdsa },
        { provide: NETWORK, useValue: config.SEEDFLEET_NETWORK },
        { provide: POLICY, useValue: policy },
        { provide: DatabaseEnd, useValue: new DatabaseEnd(prisma) },
        ...signer,
        ...SHARED,
        ...(isIntake ? INTAKE : []),
        ...(isSettler ? SETTLER : []),
      ],
    };
  }
}
