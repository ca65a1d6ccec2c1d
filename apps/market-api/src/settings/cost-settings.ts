import { Body, Controller, Get, Injectable, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PrismaClient } from '@seedfleet/persistence';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { actorOf } from '../access/principal.js';
import { auditRow } from '../audit/audit-log.js';
import { contentTag, requireTag, tagged, tagsToMatch } from '../http/content-tag.js';
import { Endpoint } from '../http/endpoint.js';
import { ExpiringCache } from '../http/expiring-cache.js';
import { noQuery } from '../http/schemas.js';
import { Conditional } from '../http/versioned.js';
import { milliOf } from '../offers/price-rule.schemas.js';
import { NO_COSTS, type CostRates } from '../reports/costs.js';

const rate = z.string().regex(/^(0|[1-9]\d{0,11})(\.\d{1,3})?$/, 'must be a number with up to three decimal places');
const costRatesSchema = z.strictObject({
  bandwidthSatPerGib: rate.meta({ description: 'satoshi per GiB sent' }),
  diskSatPerGibMonth: rate.meta({ description: 'satoshi per GiB kept for 30 days, per node' }),
});
type CostRatesView = z.output<typeof costRatesSchema>;

const KEY = 'cost-rates';
const KNOWN_MS = 1_000;
const FREE: CostRatesView = { bandwidthSatPerGib: '0', diskSatPerGibMonth: '0' };

/** What a GiB sent and a GiB kept cost the operator. */
@Injectable()
export class CostSettings {
  private readonly known = new ExpiringCache<CostRates>(KNOWN_MS, 1);

  constructor(private readonly prisma: PrismaClient) {}

  async view(): Promise<CostRatesView> {
    const row = await this.prisma.setting.findUnique({ where: { key: KEY } });
    return row === null ? FREE : costRatesSchema.parse(row.value);
  }

  /** What another process set may be missing for `KNOWN_MS`. */
  rates(): Promise<CostRates> {
    return this.known.get(KEY, Date.now(), () => this.stored());
  }

  private async stored(): Promise<CostRates> {
    const { bandwidthSatPerGib, diskSatPerGibMonth } = await this.view();
    if (bandwidthSatPerGib === '0' && diskSatPerGibMonth === '0') return NO_COSTS;
    return {
      bandwidthMilliSatPerGib: milliOf(bandwidthSatPerGib),
      diskMilliSatPerGibMonth: milliOf(diskSatPerGibMonth),
    };
  }

  /** @throws Problem precondition-failed */
  async set(value: CostRatesView, actor: string, tags?: readonly string[]): Promise<void> {
    const data = { value, updatedBy: actor, updatedAt: new Date() };
    await this.prisma.$transaction(async (tx) => {
      // Locks it also where it is set for the first time.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('market.setting'))`;
      const row = await tx.setting.findUnique({ where: { key: KEY } });
      requireTag(tags, costTag(row === null ? FREE : costRatesSchema.parse(row.value)));
      await tx.setting.upsert({ where: { key: KEY }, create: { key: KEY, ...data }, update: data });
      await tx.auditEntry.create({
        data: auditRow({ actor, action: 'settings.cost-rates', target: KEY, data: value }),
      });
    });
    this.known.clear();
  }
}

function costTag({ bandwidthSatPerGib, diskSatPerGibMonth }: CostRatesView): string {
  return contentTag({ bandwidthSatPerGib, diskSatPerGibMonth });
}

@ApiTags('settings')
@Controller('v1/settings')
export class CostSettingsController {
  constructor(private readonly costs: CostSettings) {}

  @Get('cost-rates')
  @Endpoint({ summary: 'What serving costs, for the profit in reports', access: 'read', answer: costRatesSchema })
  async get(
    @Query({ schema: noQuery }) _query: object,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CostRatesView> {
    const rates = await this.costs.view();
    return tagged(response, costTag(rates), rates);
  }

  @Put('cost-rates')
  @Endpoint({ summary: 'Set what serving costs', access: 'money', answer: costRatesSchema, refusals: [412] })
  @Conditional()
  async set(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: costRatesSchema }) rates: CostRatesView,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CostRatesView> {
    await this.costs.set(rates, actorOf(request), tagsToMatch(request));
    return tagged(response, costTag(rates), rates);
  }
}
