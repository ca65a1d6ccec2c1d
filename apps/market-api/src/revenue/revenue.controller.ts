import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint } from '../http/endpoint.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import { TorrentService } from '../torrents/torrent.service.js';
import { RevenueRepository } from './revenue.repository.js';
import {
  revenueQuery,
  revenueSchema,
  torrentRevenueSchema,
  type RevenueQuery,
  type RevenueView,
  type TorrentRevenueView,
} from './revenue.schemas.js';
import { figuresView } from './revenue.views.js';

@ApiTags('revenue')
@Controller('v1/revenue')
export class RevenueController {
  constructor(
    private readonly revenue: RevenueRepository,
    private readonly torrents: TorrentService,
  ) {}

  @Get()
  @Endpoint({ summary: 'Revenue per torrent, by infohash, and in total', access: 'read', answer: revenueSchema })
  async list(@Query({ schema: revenueQuery }) { cursor, limit, infoHash }: RevenueQuery): Promise<RevenueView> {
    const [found, total] = await Promise.all([
      infoHash === undefined ? this.revenue.keys(cursor, limit + 1) : [infoHash],
      this.revenue.total(),
    ]);
    const shown = await this.revenue.of(found.slice(0, limit));
    const items = shown
      // One that is asked for by name may have earned nothing.
      .filter(({ figures }) => infoHash === undefined || figures.channels > 0n)
      .map(({ name, ...revenue }) => ({ infoHash: revenue.infoHash, name, ...figuresView(revenue) }));
    return {
      totals: figuresView(total),
      items,
      nextCursor: found.length > limit ? (shown.at(-1)?.infoHash ?? null) : null,
    };
  }

  @Get(':infoHash')
  @Endpoint({ summary: 'Revenue of one torrent', access: 'read', answer: torrentRevenueSchema, refusals: [404] })
  async get(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<TorrentRevenueView> {
    const { name } = await this.torrents.row(infoHash);
    const [revenue] = await this.revenue.of([infoHash]);
    return { infoHash, name, ...figuresView(revenue!) };
  }
}
