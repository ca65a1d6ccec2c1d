import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { isDatabaseAway } from '../http/database-away.js';
import { RepeatableWrites } from '../http/repeatable-writes.js';
import { EventLog } from './event-log.js';

/** Soon enough to look live, rare enough to cost nothing. */
const GATHER_EVERY_MS = 500;
const PRUNE_EVERY_MS = 600_000;
/** What was delivered or given up is kept for operators to look at for a month. */
const KEEP_DELIVERIES_MS = 30 * 86_400_000;

/** Keeps the log of events up to date, and throws away what nobody reads any more. */
@Injectable()
export class EventGatherer implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private working: Promise<void> = Promise.resolve();
  private prunedAtMs = 0;
  private failing = false;

  constructor(
    private readonly log: EventLog,
    private readonly writes: RepeatableWrites,
    private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(0);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.working;
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.working = this.work();
    }, afterMs);
  }

  private async work(): Promise<void> {
    let told = 0;
    try {
      told = await this.log.gather();
      if (Date.now() - this.prunedAtMs > PRUNE_EVERY_MS) await this.prune();
      this.failing = false;
    } catch (failure) {
      // Health tells of an absent database; one line per fault of ours is enough.
      if (!this.failing && !isDatabaseAway(failure))
        this.logger.error({ err: failure }, 'events could not be gathered');
      this.failing = true;
    }
    this.schedule(told > 0 ? 0 : GATHER_EVERY_MS);
  }

  private async prune(): Promise<void> {
    this.prunedAtMs = Date.now();
    await this.log.prune();
    await this.writes.prune();
    const before = new Date(Date.now() - KEEP_DELIVERIES_MS);
    await this.prisma.webhookDelivery.deleteMany({ where: { createdAt: { lt: before }, state: { not: 'pending' } } });
  }
}
