import { Inject, Injectable } from '@nestjs/common';
import { assignmentsChanged, Bus, MAX_NEWS_TORRENTS, offersChanged } from '@seedfleet/bus';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { Assignments } from './assignments.js';

const MAX_REASON_LENGTH = 100;

/** Tells nodes what changed. News may be lost: nodes also look by themselves every 15 s. */
@Injectable()
export class FleetNews {
  constructor(
    private readonly bus: Bus,
    private readonly assignments: Assignments,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** There is something to fetch. */
  assignmentsChanged(reason: string): void {
    this.bus.publish(assignmentsChanged, [], { reason: reason.slice(0, MAX_REASON_LENGTH) });
  }

  /**
   * Sends the terms along, so that nodes need not ask for all they sell. The change is stored already, so a failure here
   * must not look like one of it.
   */
  async offersChanged(infoHashes: readonly string[], reason: string): Promise<void> {
    try {
      for (let from = 0; from < infoHashes.length; from += MAX_NEWS_TORRENTS) {
        const torrents = await this.assignments.terms(infoHashes.slice(from, from + MAX_NEWS_TORRENTS));
        if (torrents.length > 0) this.bus.publish(offersChanged, [], { torrents });
      }
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'news of offers not sent; nodes are asked to fetch them');
      this.assignmentsChanged(reason);
    }
  }
}
