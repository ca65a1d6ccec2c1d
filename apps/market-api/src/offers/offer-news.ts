import { Inject, Injectable } from '@nestjs/common';
import { Bus, MAX_NEWS_TORRENTS, offersChanged } from '@seedfleet/bus';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { Assignments } from '../nodes/assignments.js';
import { FleetNews } from '../nodes/fleet-news.js';

/** Tells nodes the new terms, so that they need not ask for all they sell. */
@Injectable()
export class OfferNews {
  constructor(
    private readonly bus: Bus,
    private readonly assignments: Assignments,
    private readonly news: FleetNews,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The change is stored already, so a failure here must not look like one of it: nodes are then asked to fetch. */
  async changed(infoHashes: readonly string[], reason: string): Promise<void> {
    try {
      for (let from = 0; from < infoHashes.length; from += MAX_NEWS_TORRENTS) {
        const torrents = await this.assignments.terms(infoHashes.slice(from, from + MAX_NEWS_TORRENTS));
        if (torrents.length > 0) this.bus.publish(offersChanged, [], { torrents });
      }
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'news of offers not sent; nodes are asked to fetch them');
      this.news.assignmentsChanged(reason);
    }
  }
}
