import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { isDatabaseAway } from '../http/database-away.js';
import { BATCH, EventLog } from './event-log.js';

/** Soon enough to look live, rare enough to cost nothing. */
const GATHER_EVERY_MS = 500;

/** Keeps the log of events up to date. */
@Injectable()
export class EventGatherer implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private working: Promise<void> = Promise.resolve();
  private failing = false;

  constructor(
    private readonly log: EventLog,
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
    let more = false;
    try {
      more = (await this.log.gather()) >= BATCH;
      this.failing = false;
    } catch (failure) {
      // Health tells of an absent database; one line per fault of ours is enough.
      if (!this.failing && !isDatabaseAway(failure))
        this.logger.error({ err: failure }, 'events could not be gathered');
      this.failing = true;
    }
    // Where writes never stop, going on at once whenever there was something would never stop either.
    this.schedule(more ? 0 : GATHER_EVERY_MS);
  }
}
