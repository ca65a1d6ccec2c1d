import { Body, Controller, Get, Inject, Param, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MAX_MONEY_SAT } from '@seedfleet/payment-channel';
import { shortestLockUnits } from '@seedfleet/policy';
import type { Request } from 'express';
import type { z } from 'zod';
import { actorOf } from '../access/principal.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem, validationProblem } from '../http/problem.js';
import { Conditional, Versioned, versionsToMatch } from '../http/versioned.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import { IDENTITY, type FleetIdentity } from '../identity.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { FleetNews } from '../nodes/fleet-news.js';
import { TorrentService } from '../torrents/torrent.service.js';
import { OfferRepository } from './offer.repository.js';
import {
  listOffersQuery,
  offerHistoryPage,
  offerSchema,
  setOfferBody,
  type ListOffersQuery,
  type SetOfferBody,
} from './offer.schemas.js';
import { POLICY } from './terms-of-sale.js';
import { offerVersionView, offerView } from './offer.views.js';

type OfferAnswer = z.output<typeof offerSchema>;

@ApiTags('offers')
@Controller('v1/torrents/:infoHash')
export class OfferController {
  constructor(
    private readonly torrents: TorrentService,
    private readonly offers: OfferRepository,
    private readonly fees: FeeOutlookBoard,
    private readonly news: FleetNews,
    @Inject(IDENTITY) private readonly identity: FleetIdentity,
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
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: setOfferBody }) terms: SetOfferBody,
    @Req() request: Request,
  ) {
    const torrent = await this.torrents.row(infoHash);
    if (terms.priceSat !== null && terms.priceSat * BigInt(torrent.pieceCount) > MAX_MONEY_SAT) {
      throw new Problem(422, 'offer-invalid', 'all pieces together would cost more than all money there is');
    }
    const shortest = shortestLockUnits(this.identity.network, POLICY);
    if (terms.lockUnits !== null && terms.lockUnits < shortest) {
      const message = `must be at least ${shortest}: a shorter lock leaves no time to serve and settle`;
      throw validationProblem([{ message, path: ['lockUnits'] }]);
    }
    const { freeTier, ...sold } = terms;
    const free = {
      freeBytesPerDay: freeTier === null ? null : BigInt(freeTier.bytesPerDay),
      freeBytesPerPeerDay: freeTier === null ? null : BigInt(freeTier.bytesPerPeerDay),
    };
    const row = await this.offers.set(infoHash, { ...sold, ...free }, actorOf(request), versionsToMatch(request));
    this.news.assignmentsChanged(`offer of ${infoHash} changed`);
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
