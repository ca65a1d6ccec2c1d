import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { ChainNews } from '../chain/chain-news.js';
import { DueWorker } from '../channels/due-worker.js';
import { WorkFailures } from '../channels/work-failures.js';
import { CHAIN_FINAL_STATES, SETTLER_STATES } from '@seedfleet/channel-lifecycle';
import { DATABASE } from '../tokens.js';
import { SettlementWake } from './settlement-wake.js';
import { SettlementService } from './settlement.service.js';

/** How late a wake that was lost makes a settlement. */
const POLL_MS = 2_000;

/** The settler's loop. Final states are in it because a deep reorganisation wakes them. */
@Injectable()
export class SettlementWorker implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly worker: DueWorker;

  constructor(
    @Inject(DATABASE) prisma: PrismaClient,
    @Inject(SettlementService) settlement: SettlementService,
    @Inject(SettlementWake) private readonly wake: SettlementWake,
    @Inject(ChainNews) private readonly news: ChainNews,
    @Inject(WorkFailures) failures: WorkFailures,
    @Inject(LOGGER) logger: Logger,
  ) {
    const states = [...SETTLER_STATES, ...CHAIN_FINAL_STATES];
    this.worker = new DueWorker(prisma, states, POLL_MS, (row) => settlement.work(row), failures, logger);
  }

  onApplicationBootstrap(): void {
    this.worker.start();
    this.news.onWake(() => this.kick());
    this.wake.listen(() => this.kick());
  }

  onApplicationShutdown(): Promise<void> {
    return this.worker.stop();
  }

  kick(): void {
    this.worker.kick();
  }
}
