import { Controller, Get, Header, Param, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import { decodeTorrentCursor } from '../torrents/torrent-order.js';
import { TorrentRepository } from '../torrents/torrent.repository.js';
import { MAX_METAINFO_BYTES } from '../torrents/torrent.schemas.js';
import { torrentNotFound } from '../torrents/torrent.service.js';
import {
  marketPage,
  marketQuery,
  marketTorrentSchema,
  pricesPage,
  pricesQuery,
  type MarketQuery,
  type MarketTorrentView,
  type PricePointView,
  type PricesQuery,
} from './market.schemas.js';
import { PriceHistory } from './price-history.js';
import { PriceList, PUBLIC_MAX_AGE_SECONDS } from './price-list.js';

const CACHED = `public, max-age=${PUBLIC_MAX_AGE_SECONDS}`;

/** What buyers and their sites may read without a key. */
@ApiTags('public market')
@Controller('v1/market/torrents')
export class MarketController {
  constructor(
    private readonly prices: PriceList,
    private readonly history: PriceHistory,
    private readonly torrents: TorrentRepository,
  ) {}

  @Get()
  @Endpoint({ summary: 'The price list', access: 'public', answer: marketPage })
  @Header('Cache-Control', CACHED)
  list(@Query({ schema: marketQuery }) query: MarketQuery): Promise<Page<MarketTorrentView>> {
    const { sort, cursor, limit, search, tier } = query;
    const filter = { search, tier, available: query.available === 'true' };
    return this.prices.page(filter, sort, decodeTorrentCursor(sort, cursor), limit);
  }

  @Get(':infoHash')
  @Endpoint({
    summary: 'A torrent on the market: what it costs and who sells it now',
    access: 'public',
    answer: marketTorrentSchema,
    refusals: [404],
  })
  @Header('Cache-Control', CACHED)
  async get(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<MarketTorrentView> {
    const found = await this.prices.torrent(infoHash);
    if (found === null) throw torrentNotFound(infoHash);
    return found;
  }

  @Get(':infoHash/prices')
  @Endpoint({ summary: 'What it cost, newest first', access: 'public', answer: pricesPage, refusals: [404] })
  @Header('Cache-Control', CACHED)
  async priceHistory(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: pricesQuery }) { cursor, limit }: PricesQuery,
  ): Promise<Page<PricePointView>> {
    const page = await this.history.page(infoHash, cursor === undefined ? undefined : Number(cursor), limit);
    if (page === null) throw torrentNotFound(infoHash);
    return page;
  }

  @Get(':infoHash/file.torrent')
  @Endpoint({ summary: 'The .torrent file', access: 'public', produces: 'application/x-bittorrent', refusals: [404] })
  async file(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
    @Res() response: Response,
  ): Promise<void> {
    const found = await this.torrents.metainfoPart(infoHash, 0, MAX_METAINFO_BYTES);
    if (found === null) throw torrentNotFound(infoHash);
    response
      .type('application/x-bittorrent')
      .set('Content-Disposition', `attachment; filename="${infoHash}.torrent"`)
      .set('Cache-Control', 'public, max-age=3600')
      .send(Buffer.from(found.part));
  }
}
