import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint } from '../http/endpoint.js';
import { LabelRepository } from '../torrents/label.repository.js';
import {
  buyerReport,
  dayReport,
  dayReportQuery,
  keyedQuery,
  labelReport,
  nodeReport,
  torrentReport,
  torrentReportQuery,
  totalQuery,
  totalReport,
  type DayReportQuery,
  type KeyedQuery,
  type TorrentReportQuery,
  type TotalQuery,
} from './report.schemas.js';
import { ReportService } from './report.service.js';

/** Revenue, from the books. All of these agree with one another to the satoshi. */
@ApiTags('reports')
@Controller('v1/reports')
export class ReportController {
  constructor(
    private readonly reports: ReportService,
    private readonly labelled: LabelRepository,
  ) {}

  @Get('total')
  @Endpoint({ summary: 'Revenue of the fleet', access: 'read', answer: totalReport })
  total(@Query({ schema: totalQuery }) query: TotalQuery) {
    return this.reports.total(query);
  }

  @Get('torrents')
  @Endpoint({ summary: 'Revenue per torrent, most first', access: 'read', answer: torrentReport })
  torrents(@Query({ schema: torrentReportQuery }) query: TorrentReportQuery) {
    return this.reports.torrents(query);
  }

  @Get('nodes')
  @Endpoint({ summary: 'Revenue per node, by name', access: 'read', answer: nodeReport })
  nodes(@Query({ schema: keyedQuery }) query: KeyedQuery) {
    return this.reports.keyed('node', 'nodeId', query);
  }

  @Get('buyers')
  @Endpoint({ summary: 'Revenue per buyer, who is an address range', access: 'read', answer: buyerReport })
  buyers(@Query({ schema: keyedQuery }) query: KeyedQuery) {
    return this.reports.keyed('buyer', 'buyer', query);
  }

  @Get('labels')
  @Endpoint({
    summary: 'Revenue per label; a torrent with several counts in each',
    access: 'read',
    answer: labelReport,
  })
  async labels(@Query({ schema: keyedQuery }) query: KeyedQuery) {
    return this.reports.labels(query, await this.labelled.counts());
  }

  @Get('days')
  @Endpoint({
    summary: 'Revenue per day (UTC), newest first, of the fleet or of one torrent, node or buyer',
    access: 'read',
    answer: dayReport,
  })
  days(@Query({ schema: dayReportQuery }) query: DayReportQuery) {
    return this.reports.days(query);
  }
}
