import { Injectable } from '@nestjs/common';
import { ExpiringCache } from '../http/expiring-cache.js';
import type { Page } from '../http/cursor.js';
import { OfferRepository } from '../offers/offer.repository.js';
import { TorrentRepository } from '../torrents/torrent.repository.js';
import type { PricePointView } from './market.schemas.js';
import { pricePointView } from './market.views.js';
import { PUBLIC_MAX_AGE_SECONDS } from './price-list.js';

const MAX_PAGES = 1_000;

/** What torrents cost before; only prices, not the rest of the terms or who set them. */
@Injectable()
export class PriceHistory {
  private readonly pages = new ExpiringCache<Page<PricePointView> | null>(PUBLIC_MAX_AGE_SECONDS * 1_000, MAX_PAGES);

  constructor(
    private readonly torrents: TorrentRepository,
    private readonly offers: OfferRepository,
  ) {}

  /** Newest first, before a version; the last page ends with the default price that came before any offer. Null for a torrent that is not on the market. */
  page(infoHash: string, beforeVersion: number | undefined, limit: number): Promise<Page<PricePointView> | null> {
    const key = JSON.stringify([infoHash, beforeVersion, limit]);
    return this.pages.get(key, Date.now(), () => this.load(infoHash, beforeVersion, limit));
  }

  private async load(infoHash: string, beforeVersion: number | undefined, limit: number) {
    const torrent = await this.torrents.find(infoHash);
    if (torrent?.state !== 'active') return null;
    const rows = await this.offers.history(infoHash, beforeVersion, limit);
    const original = { version: 0, priceSat: null, createdAt: torrent.createdAt };
    // Versions count from 1, so the default price stands where version 0 would.
    const points = rows.length > limit || beforeVersion === 0 ? rows : [...rows, original];
    const shown = points.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map((point) => pricePointView(torrent, point)),
      nextCursor: points.length > limit && last !== undefined ? String(last.version) : null,
    };
  }
}
