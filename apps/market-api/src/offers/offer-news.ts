import { Inject, Injectable } from '@nestjs/common';
import { Bus, MAX_NEWS_TORRENTS, offersChanged } from '@seedfleet/bus';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { Assignments, type SoldRow } from '../nodes/assignments.js';
import { FleetNews } from '../nodes/fleet-news.js';
import type { StoredOffer } from './terms-of-sale.js';

/** Tells nodes the new terms, so that they need not ask for all they sell. */
@Injectable()
export class OfferNews {
  constructor(
    private readonly bus: Bus,
    private readonly assignments: Assignments,
    private readonly news: FleetNews,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** An offer that was just stored, as it was stored: of several edits at once nodes keep the newest, whichever comes last. */
  set(torrent: SoldRow, offer: StoredOffer): void {
    if (torrent.state === 'removed') return;
    try {
      this.bus.publish(offersChanged, [], { torrents: [this.assignments.sold(torrent, offer)] });
    } catch (failure) {
      this.unsent(failure, `offer of ${torrent.infoHash} changed`);
    }
  }

  /** The change is stored already, so a failure here must not look like one of it: nodes are then asked to fetch. */
  async changed(infoHashes: readonly string[], reason: string): Promise<void> {
    try {
      for (let from = 0; from < infoHashes.length; from += MAX_NEWS_TORRENTS) {
        const torrents = await this.assignments.terms(infoHashes.slice(from, from + MAX_NEWS_TORRENTS));
        if (torrents.length > 0) this.bus.publish(offersChanged, [], { torrents });
      }
    } catch (failure) {
      this.unsent(failure, reason);
    }
  }

  private unsent(failure: unknown, reason: string): void {
    this.logger.warn({ failure: String(failure) }, 'news of offers not sent; nodes are asked to fetch them');
    this.news.assignmentsChanged(reason);
  }
}
