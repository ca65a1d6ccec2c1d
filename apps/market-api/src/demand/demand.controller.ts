import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { adviseOnPrice } from '@seedfleet/policy';
import { z } from 'zod';
import { Endpoint } from '../http/endpoint.js';
import { infoHashParam, satoshiText, type InfoHashParam } from '../http/schemas.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { economicsSchema } from '../offers/offer.schemas.js';
import { OfferRepository } from '../offers/offer.repository.js';
import { economicsView } from '../offers/offer.views.js';
import { satPerMib } from '../offers/price-per-size.js';
import { saleVerdict } from '../offers/sale-verdict.js';
import { defaultPriceSat, effectiveOffer, POLICY } from '../offers/terms-of-sale.js';
import { TorrentService } from '../torrents/torrent.service.js';
import { COUNTERS, DemandRepository, type DemandCounters } from './demand.repository.js';

const MAX_DAYS = 365;
const demandQuery = z.strictObject({
  days: z.coerce.number().int().min(1).max(MAX_DAYS).default(30).meta({ description: 'days looked back (UTC)' }),
});

const countersSchema = z.object({
  buyers: z.int().meta({ description: 'connections that wanted to buy' }),
  buyersBelowPrice: z.int().meta({ description: 'of them, whose highest price was below ours' }),
  bidsUncounted: z.int().meta({ description: 'bids for which the histogram had no room' }),
  speedTestsAnswered: z.int(),
  speedTestsRefused: z.int().meta({ description: 'over budget: such a buyer goes elsewhere' }),
  lostAfterSpeedTest: z.int().meta({ description: 'left without joining: another seller was faster' }),
  joinsRefused: z.int(),
  joined: z.int(),
  won: z.int().meta({ description: 'joined and funded a channel with us' }),
  lostAfterJoin: z.int().meta({ description: 'joined and left: funded elsewhere, or not at all' }),
  sentBytes: z.int(),
  sentMs: z.int(),
});

const demandSchema = z.object({
  infoHash: z.string(),
  days: z.int(),
  counters: countersSchema,
  bids: z
    .array(z.object({ priceSat: satoshiText, buyers: z.int(), accepting: z.int() }))
    .meta({ description: 'highest first; accepting: buyers who bid this much or more' }),
});

const adviceSchema = z.object({
  infoHash: z.string(),
  days: z.int(),
  current: z.object({ priceSat: satoshiText, satPerMib: z.string(), economics: economicsSchema }),
  suggested: z.object({ priceSat: satoshiText, satPerMib: z.string(), economics: economicsSchema }),
  reasons: z.array(
    z.enum(['too-few-bids', 'best-for-bids', 'bids-below-cost', 'loses-speed-tests', 'loses-after-joining']),
  ),
  bids: z.int(),
  acceptedBids: z.int().meta({ description: 'bids that accept the suggestion' }),
  acceptedNow: z.int().meta({ description: 'bids that accept the present price' }),
  expectedNetSat: satoshiText.meta({ description: 'if all of them bought everything, net of fees' }),
  expectedNetNowSat: satoshiText,
});

@ApiTags('demand')
@Controller('v1/torrents/:infoHash')
export class DemandController {
  constructor(
    private readonly demand: DemandRepository,
    private readonly torrents: TorrentService,
    private readonly offers: OfferRepository,
    private readonly fees: FeeOutlookBoard,
  ) {}

  @Get('demand')
  @Endpoint({
    summary: 'What buyers asked for, as nodes saw it',
    access: 'read',
    answer: demandSchema,
    refusals: [404],
  })
  async get(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: demandQuery }) { days }: z.output<typeof demandQuery>,
  ): Promise<z.output<typeof demandSchema>> {
    await this.torrents.row(infoHash);
    const [counters, bids] = await Promise.all([
      this.demand.counters(infoHash, days),
      this.demand.bids(infoHash, days),
    ]);
    let accepting = 0;
    const shown = bids.map(({ priceSat, buyers }) => {
      accepting += Number(buyers);
      return { priceSat: priceSat.toString(), buyers: Number(buyers), accepting };
    });
    return { infoHash, days, counters: countersView(counters), bids: shown };
  }

  @Get('advice')
  @Endpoint({ summary: 'What it should cost, and why', access: 'read', answer: adviceSchema, refusals: [404] })
  async advice(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: demandQuery }) { days }: z.output<typeof demandQuery>,
  ): Promise<z.output<typeof adviceSchema>> {
    const torrent = await this.torrents.row(infoHash);
    const [offer, counters, bids] = await Promise.all([
      this.offers.current(infoHash),
      this.demand.counters(infoHash, days),
      this.demand.bids(infoHash, days),
    ]);
    const fees = this.fees.now();
    const terms = effectiveOffer(torrent, offer);
    const { settlementFeeSat, sweepCostSat } = saleVerdict(torrent, terms, fees);
    const advice = adviseOnPrice(
      {
        ...counters,
        pieces: torrent.pieceCount,
        bids,
        currentPriceSat: terms.priceSat,
        defaultPriceSat: defaultPriceSat(torrent),
        settlementFeeSat,
        sweepCostSat,
      },
      POLICY,
    );
    const priced = (priceSat: bigint) => ({
      priceSat: priceSat.toString(),
      satPerMib: satPerMib(priceSat, torrent.pieceLength),
      economics: economicsView(torrent, { ...terms, priceSat }, fees),
    });
    return {
      infoHash,
      days,
      current: priced(terms.priceSat),
      suggested: priced(advice.priceSat),
      reasons: [...advice.reasons],
      bids: Number(advice.bids),
      acceptedBids: Number(advice.acceptedBids),
      acceptedNow: Number(advice.acceptedNow),
      expectedNetSat: advice.expectedNetSat.toString(),
      expectedNetNowSat: advice.expectedNetNowSat.toString(),
    };
  }
}

function countersView(counters: DemandCounters): z.output<typeof countersSchema> {
  const numbers = Object.fromEntries(COUNTERS.map((name) => [name, Number(counters[name])]));
  return numbers as z.output<typeof countersSchema>;
}
