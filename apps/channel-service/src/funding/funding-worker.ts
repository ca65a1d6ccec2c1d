import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { DueWorker } from '../channels/due-worker.js';
import { WorkFailures } from '../channels/work-failures.js';
import { ChainNews } from '../chain/chain-news.js';
import { INTAKE_STATES } from '@seedfleet/channel-lifecycle';
import { OutboxRelay } from '../story/outbox-relay.js';
import { DATABASE } from '../tokens.js';
import { SettlementWake } from '../settlement/settlement-wake.js';
import { FundingFollower } from './funding-follower.js';

/** Buyers wait for the verdict: a funding seen by our node is served within this time. */
const POLL_MS = 500;

/** The intake's loop over open channels: expiry of joins, fundings to be seen, confirmations, conflicts. */
@Injectable()
export class FundingWorker implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly worker: DueWorker;

  constructor(
    @Inject(DATABASE) prisma: PrismaClient,
    @Inject(FundingFollower) follower: FundingFollower,
    @Inject(OutboxRelay) relay: OutboxRelay,
    @Inject(SettlementWake) settlement: SettlementWake,
    @Inject(ChainNews) private readonly news: ChainNews,
    @Inject(WorkFailures) failures: WorkFailures,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.worker = new DueWorker(
      prisma,
      INTAKE_STATES,
      POLL_MS,
      async (row) => {
        const after = await follower.look(row);
        if (after.version === row.version) return;
        relay.poke();
        if (after.state === 'closing') settlement.wake();
      },
      failures,
      logger,
    );
  }

  onApplicationBootstrap(): void {
    this.worker.start();
    this.news.onWake(() => this.kick());
  }

  onApplicationShutdown(): Promise<void> {
    return this.worker.stop();
  }

  kick(): void {
    this.worker.kick();
  }
}
