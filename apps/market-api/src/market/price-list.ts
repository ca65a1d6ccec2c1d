import { Injectable } from '@nestjs/common';
import { DemandRepository } from '../demand/demand.repository.js';
import { ExpiringCache } from '../http/expiring-cache.js';
import type { Page } from '../http/cursor.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { NodeRepository } from '../nodes/node.repository.js';
import { OfferRepository } from '../offers/offer.repository.js';
import { saleVerdict } from '../offers/sale-verdict.js';
import { effectiveOffer } from '../offers/terms-of-sale.js';
import { torrentPageOf, type TorrentCursor, type TorrentSort } from '../torrents/torrent-order.js';
import { TorrentRepository, type TorrentFilter, type TorrentRow } from '../torrents/torrent.repository.js';
import { marketView } from './market.views.js';
import type { MarketTorrentView } from './market.schemas.js';

/** How old a public page may be; also what caches in between are told. */
export const PUBLIC_MAX_AGE_SECONDS = 2;
/** Public pages and torrents held at once, of each. */
const MAX_PAGES = 1_000;

export type PublicFilter = Pick<TorrentFilter, 'search' | 'tier' | 'available'>;

/** The public price list: active torrents, what they cost, and where they are sold. */
@Injectable()
export class PriceList {
  private readonly pages = new ExpiringCache<Page<MarketTorrentView>>(PUBLIC_MAX_AGE_SECONDS * 1_000, MAX_PAGES);
  private readonly single = new ExpiringCache<MarketTorrentView | null>(PUBLIC_MAX_AGE_SECONDS * 1_000, MAX_PAGES);

  constructor(
    private readonly torrents: TorrentRepository,
    private readonly offers: OfferRepository,
    private readonly nodes: NodeRepository,
    private readonly demand: DemandRepository,
    private readonly fees: FeeOutlookBoard,
  ) {}

  page(
    filter: PublicFilter,
    sort: TorrentSort,
    after: TorrentCursor | undefined,
    limit: number,
  ): Promise<Page<MarketTorrentView>> {
    const { search, tier, available } = filter;
    const key = JSON.stringify([search, tier, available, sort, after?.value, after?.infoHash, limit]);
    return this.pages.get(key, Date.now(), async () => {
      const rows = await this.torrents.list({ ...filter, states: ['active'] }, sort, after, limit);
      const views = await this.views(rows);
      return torrentPageOf(rows, sort, limit, (row) => views.get(row.infoHash)!);
    });
  }

  /** Null for one that is not on the market. */
  torrent(infoHash: string): Promise<MarketTorrentView | null> {
    return this.single.get(infoHash, Date.now(), async () => {
      const row = await this.torrents.find(infoHash);
      return row?.state === 'active' ? ((await this.views([row])).get(infoHash) ?? null) : null;
    });
  }

  private async views(rows: readonly TorrentRow[]): Promise<Map<string, MarketTorrentView>> {
    const infoHashes = rows.map(({ infoHash }) => infoHash);
    const [offers, sellers, speeds] = await Promise.all([
      this.offers.currentOf(infoHashes),
      this.nodes.sellers(infoHashes),
      this.demand.speeds(infoHashes),
    ]);
    const fees = this.fees.now();
    return new Map(
      rows.map((row) => {
        const { infoHash } = row;
        const terms = effectiveOffer(row, offers.get(infoHash) ?? null);
        const declined = saleVerdict(row, terms, fees).declined !== null;
        const peers = declined ? [] : (sellers.get(infoHash) ?? []);
        return [infoHash, marketView(row, terms, peers, speeds.get(infoHash) ?? null)];
      }),
    );
  }
}
