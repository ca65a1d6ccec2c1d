import { Injectable } from '@nestjs/common';
import { ExpiringCache } from '../http/expiring-cache.js';
import { toPage, type Cursor, type Page } from '../http/cursor.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { NodeRepository } from '../nodes/node.repository.js';
import { OfferRepository } from '../offers/offer.repository.js';
import { satPerMib } from '../offers/price-per-size.js';
import { saleVerdict } from '../offers/sale-verdict.js';
import { effectiveOffer, type EffectiveOffer } from '../offers/terms-of-sale.js';
import { TorrentRepository, type TorrentRow } from '../torrents/torrent.repository.js';
import type { MarketTorrentView } from './market.schemas.js';

/** How old a public page may be; also what caches in between are told. */
export const PUBLIC_MAX_AGE_SECONDS = 2;
/** Public pages held at once. */
const MAX_PAGES = 1_000;
/** Addresses shown per torrent: more than a buyer connects to. */
const MAX_PEERS = 50;

/** The public price list: active torrents, what they cost, and where they are sold. */
@Injectable()
export class PriceList {
  private readonly pages = new ExpiringCache<Page<MarketTorrentView>>(PUBLIC_MAX_AGE_SECONDS * 1_000, MAX_PAGES);

  constructor(
    private readonly torrents: TorrentRepository,
    private readonly offers: OfferRepository,
    private readonly nodes: NodeRepository,
    private readonly fees: FeeOutlookBoard,
  ) {}

  page(after: Cursor | undefined, limit: number): Promise<Page<MarketTorrentView>> {
    const key = JSON.stringify([after?.at, after?.key, limit]);
    return this.pages.get(key, Date.now(), () => this.load(after, limit));
  }

  private async load(after: Cursor | undefined, limit: number): Promise<Page<MarketTorrentView>> {
    const rows = await this.torrents.list({ states: ['active'], label: undefined }, after, limit);
    const infoHashes = rows.map(({ infoHash }) => infoHash);
    const [offers, sellers] = await Promise.all([this.offers.currentOf(infoHashes), this.nodes.sellers(infoHashes)]);
    const fees = this.fees.now();
    return toPage(
      rows,
      limit,
      ({ at, infoHash }) => ({ at, key: infoHash }),
      (row) => {
        const terms = effectiveOffer(row, offers.get(row.infoHash) ?? null);
        const declined = saleVerdict(row, terms, fees).declined !== null;
        return marketView(row, terms, declined ? [] : (sellers.get(row.infoHash) ?? []));
      },
    );
  }
}

function marketView(row: TorrentRow, terms: EffectiveOffer, peers: readonly string[]): MarketTorrentView {
  return {
    infoHash: row.infoHash,
    name: row.name,
    totalBytes: Number(row.totalBytes),
    pieceLengthBytes: row.pieceLength,
    pieceCount: row.pieceCount,
    private: row.private,
    priceSat: terms.priceSat.toString(),
    satPerMib: satPerMib(terms.priceSat, row.pieceLength),
    totalSat: (terms.priceSat * BigInt(row.pieceCount)).toString(),
    lockUnits: terms.lockUnits,
    minContractFeePerKbSat: terms.minContractFeePerKbSat.toString(),
    maxSellers: terms.maxSellers,
    available: peers.length > 0,
    peers: peers.slice(0, MAX_PEERS),
    torrentFile: `/v1/market/torrents/${row.infoHash}/file.torrent`,
    magnet: `magnet:?xt=urn:btih:${row.infoHash}&dn=${encodeURIComponent(row.name)}`,
  };
}
