import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { actorOf } from '../access/principal.js';
import { tagged, tagsToMatch } from '../http/content-tag.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery, timeText } from '../http/schemas.js';
import { Conditional } from '../http/versioned.js';
import { milliOf, textOfMilli } from '../offers/price-rule.schemas.js';
import { tierName } from '../torrents/torrent.schemas.js';
import { TierRepository, tierTag, type TierRow } from './tier.repository.js';

const tierSchema = z.object({
  name: z.string(),
  multiplier: z.string().meta({ description: 'how many times dearer than the rule says' }),
  description: z.string(),
  torrents: z.int(),
  updatedAt: timeText,
});
const tierList = z.object({ items: z.array(tierSchema) });
const tierParam = z.strictObject({ name: tierName });
const setTierBody = z.strictObject({
  multiplier: z
    .string()
    .regex(/^(0|[1-9]\d{0,2})(\.\d{1,3})?$/, 'must be a number below 1000 with up to three decimal places')
    .refine((text) => /[1-9]/.test(text), 'must be more than 0'),
  description: z
    .string()
    .max(200)
    .regex(/^\P{Cc}*$/u, 'must be printable')
    .optional()
    .meta({ description: 'stays as it is where it is left out' }),
});

/** The tier that torrents have when nobody says another. */
const STANDARD = 'standard';

@ApiTags('tiers')
@Controller('v1/tiers')
export class TierController {
  constructor(private readonly tiers: TierRepository) {}

  @Get()
  @Endpoint({ summary: 'Quality tiers and what they do to prices', access: 'read', answer: tierList })
  async list(@Query({ schema: noQuery }) _query: object) {
    return { items: (await this.tiers.list()).map(tierView) };
  }

  @Get(':name')
  @Endpoint({ summary: 'One tier', access: 'read', answer: tierSchema, refusals: [404] })
  async get(
    @Param({ schema: tierParam }) { name }: z.output<typeof tierParam>,
    @Query({ schema: noQuery }) _query: object,
    @Res({ passthrough: true }) response: Response,
  ) {
    const row = await this.tiers.find(name);
    if (row === undefined) throw tierNotFound(name);
    return tagged(response, tierTag(row), tierView(row));
  }

  @Put(':name')
  @Endpoint({
    summary: 'Make or change a tier; prices follow when torrents are repriced (POST /v1/offers/bulk)',
    access: 'money',
    answer: tierSchema,
    refusals: [412, 422],
  })
  @Conditional()
  async set(
    @Param({ schema: tierParam }) { name }: z.output<typeof tierParam>,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: setTierBody }) { multiplier, description }: z.output<typeof setTierBody>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const perMille = Number(milliOf(multiplier));
    const row = await this.tiers.set(name, perMille, description, actorOf(request), tagsToMatch(request));
    return tagged(response, tierTag(row), tierView(row));
  }

  @Delete(':name')
  @HttpCode(204)
  @Endpoint({ summary: 'Remove a tier that no torrent has', access: 'money', status: 204, refusals: [404, 409, 412] })
  @Conditional()
  async remove(
    @Param({ schema: tierParam }) { name }: z.output<typeof tierParam>,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
  ): Promise<void> {
    const outcome =
      name === STANDARD ? 'in-use' : await this.tiers.remove(name, actorOf(request), tagsToMatch(request));
    if (outcome === 'unknown') throw tierNotFound(name);
    if (outcome === 'in-use') throw new Problem(409, 'tier-in-use', `torrents have the tier ${name}`, { tier: name });
  }
}

function tierNotFound(name: string): Problem {
  return new Problem(404, 'tier-not-found', `there is no tier ${name}`, { tier: name });
}

function tierView(row: TierRow): z.output<typeof tierSchema> {
  const { name, multiplierPerMille, description, torrents, updatedAt } = row;
  const multiplier = textOfMilli(BigInt(multiplierPerMille));
  return { name, multiplier, description, torrents, updatedAt: updatedAt.toISOString() };
}
