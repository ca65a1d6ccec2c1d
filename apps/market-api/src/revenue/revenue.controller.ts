import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint } from '../http/endpoint.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import { TorrentService } from '../torrents/torrent.service.js';
import { sumFigures } from './revenue.js';
import { RevenueRepository, type TorrentChannelGroup } from './revenue.repository.js';
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
    const [groups, totals] = await Promise.all([
      this.revenue.groups(infoHash, cursor, limit + 1),
      this.revenue.totals(),
    ]);
    const torrents = byTorrent(groups);
    const shown = torrents.slice(0, limit);
    return {
      totals: figuresView(sumFigures(totals)),
      items: shown,
      nextCursor: torrents.length > limit ? (shown.at(-1)?.infoHash ?? null) : null,
    };
  }

  @Get(':infoHash')
  @Endpoint({ summary: 'Revenue of one torrent', access: 'read', answer: torrentRevenueSchema, refusals: [404] })
  async get(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<TorrentRevenueView> {
    const { name } = await this.torrents.row(infoHash);
    return { infoHash, name, ...figuresView(sumFigures(await this.revenue.groups(infoHash, undefined, 1))) };
  }
}

/** Groups arrive ordered by infohash. */
function byTorrent(groups: readonly TorrentChannelGroup[]): TorrentRevenueView[] {
  const grouped = new Map<string, TorrentChannelGroup[]>();
  for (const group of groups) {
    const known = grouped.get(group.infoHash);
    if (known === undefined) grouped.set(group.infoHash, [group]);
    else known.push(group);
  }
  return [...grouped].map(([infoHash, own]) => ({
    infoHash,
    name: own[0]?.torrentName ?? null,
    ...figuresView(sumFigures(own)),
  }));
}
