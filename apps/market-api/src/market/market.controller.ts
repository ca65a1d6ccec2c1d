import { Controller, Get, Header, Param, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { decodeCursor, type Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { infoHashParam, infoHashText, noQuery, type InfoHashParam } from '../http/schemas.js';
import { TorrentRepository } from '../torrents/torrent.repository.js';
import { MAX_METAINFO_BYTES } from '../torrents/torrent.schemas.js';
import { torrentNotFound } from '../torrents/torrent.service.js';
import { marketPage, marketQuery, type MarketQuery, type MarketTorrentView } from './market.schemas.js';
import { PriceList, PUBLIC_MAX_AGE_SECONDS } from './price-list.js';

/** What buyers and their sites may read without a key. */
@ApiTags('public market')
@Controller('v1/market/torrents')
export class MarketController {
  constructor(
    private readonly prices: PriceList,
    private readonly torrents: TorrentRepository,
  ) {}

  @Get()
  @Endpoint({ summary: 'The price list, newest torrents first', access: 'public', answer: marketPage })
  @Header('Cache-Control', `public, max-age=${PUBLIC_MAX_AGE_SECONDS}`)
  @Header('Access-Control-Allow-Origin', '*')
  list(@Query({ schema: marketQuery }) { cursor, limit }: MarketQuery): Promise<Page<MarketTorrentView>> {
    return this.prices.page(decodeCursor(cursor, infoHashText), limit);
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
      .set('Access-Control-Allow-Origin', '*')
      .send(Buffer.from(found.part));
  }
}
