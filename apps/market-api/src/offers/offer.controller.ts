import { Body, Controller, Get, Param, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import type { z } from 'zod';
import { actorOf } from '../access/principal.js';
import { Endpoint } from '../http/endpoint.js';
import { Conditional, Versioned, versionsToMatch } from '../http/versioned.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { TorrentService } from '../torrents/torrent.service.js';
import { OfferRepository } from './offer.repository.js';
import {
  listOffersQuery,
  offerHistoryPage,
  offerSchema,
  setOfferBody,
  setOfferQuery,
  type ListOffersQuery,
  type SetOfferBody,
  type SetOfferQuery,
} from './offer.schemas.js';
import { OfferService } from './offer.service.js';
import { offerVersionView, offerView } from './offer.views.js';

type OfferAnswer = z.output<typeof offerSchema>;

@ApiTags('offers')
@Controller('v1/torrents/:infoHash')
export class OfferController {
  constructor(
    private readonly torrents: TorrentService,
    private readonly offers: OfferRepository,
    private readonly fees: FeeOutlookBoard,
    private readonly service: OfferService,
  ) {}

  @Get('offer')
  @Endpoint({ summary: 'What a torrent is sold for', access: 'read', answer: offerSchema, refusals: [404] })
  @Versioned<OfferAnswer>(({ effective }) => effective.version)
  async get(@Param({ schema: infoHashParam }) { infoHash }: InfoHashParam, @Query({ schema: noQuery }) _query: object) {
    const torrent = await this.torrents.row(infoHash);
    return offerView(infoHash, torrent, await this.offers.current(infoHash), this.fees.now());
  }

  @Put('offer')
  @Endpoint({
    summary: 'Set what a torrent is sold for; running channels keep their terms',
    access: 'money',
    answer: offerSchema,
    refusals: [404, 412, 422],
  })
  @Conditional()
  @Versioned<OfferAnswer>(({ effective }) => effective.version)
  async set(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: setOfferQuery }) { dryRun }: SetOfferQuery,
    @Body({ schema: setOfferBody }) terms: SetOfferBody,
    @Req() request: Request,
  ) {
    const { torrent, row } =
      dryRun === 'true'
        ? await this.service.preview(infoHash, terms)
        : await this.service.set(infoHash, terms, actorOf(request), versionsToMatch(request));
    return offerView(infoHash, torrent, row, this.fees.now());
  }

  @Get('offers')
  @Endpoint({
    summary: 'What a torrent was sold for, newest first',
    access: 'read',
    answer: offerHistoryPage,
    refusals: [404],
  })
  async history(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: listOffersQuery }) { cursor, limit }: ListOffersQuery,
  ) {
    await this.torrents.row(infoHash);
    const rows = await this.offers.history(infoHash, cursor === undefined ? undefined : Number(cursor), limit);
    const shown = rows.slice(0, limit);
    return {
      items: shown.map(offerVersionView),
      nextCursor: rows.length > limit ? String(shown.at(-1)?.version) : null,
    };
  }
}
