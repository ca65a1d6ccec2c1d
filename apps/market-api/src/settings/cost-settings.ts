import { Body, Controller, Get, Injectable, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PrismaClient } from '@seedfleet/persistence';
import type { Request } from 'express';
import { z } from 'zod';
import { actorOf } from '../access/principal.js';
import { auditRow } from '../audit/audit-log.js';
import { Endpoint } from '../http/endpoint.js';
import { noQuery } from '../http/schemas.js';
import { milliOf } from '../offers/price-rule.schemas.js';
import { NO_COSTS, type CostRates } from '../reports/costs.js';

const rate = z.string().regex(/^(0|[1-9]\d{0,11})(\.\d{1,3})?$/, 'must be a number with up to three decimal places');
const costRatesSchema = z.strictObject({
  bandwidthSatPerGib: rate.meta({ description: 'satoshi per GiB sent' }),
  diskSatPerGibMonth: rate.meta({ description: 'satoshi per GiB kept for 30 days, per node' }),
});
type CostRatesView = z.output<typeof costRatesSchema>;

const KEY = 'cost-rates';
const FREE: CostRatesView = { bandwidthSatPerGib: '0', diskSatPerGibMonth: '0' };

/** What a GiB sent and a GiB kept cost the operator. */
@Injectable()
export class CostSettings {
  constructor(private readonly prisma: PrismaClient) {}

  async view(): Promise<CostRatesView> {
    const row = await this.prisma.setting.findUnique({ where: { key: KEY } });
    return row === null ? FREE : costRatesSchema.parse(row.value);
  }

  async rates(): Promise<CostRates> {
    const { bandwidthSatPerGib, diskSatPerGibMonth } = await this.view();
    if (bandwidthSatPerGib === '0' && diskSatPerGibMonth === '0') return NO_COSTS;
    return {
      bandwidthMilliSatPerGib: milliOf(bandwidthSatPerGib),
      diskMilliSatPerGibMonth: milliOf(diskSatPerGibMonth),
    };
  }

  async set(value: CostRatesView, actor: string): Promise<void> {
    const data = { value, updatedBy: actor, updatedAt: new Date() };
    await this.prisma.$transaction([
      this.prisma.setting.upsert({ where: { key: KEY }, create: { key: KEY, ...data }, update: data }),
      this.prisma.auditEntry.create({
        data: auditRow({ actor, action: 'settings.cost-rates', target: KEY, data: value }),
      }),
    ]);
  }
}

@ApiTags('settings')
@Controller('v1/settings')
export class CostSettingsController {
  constructor(private readonly costs: CostSettings) {}

  @Get('cost-rates')
  @Endpoint({ summary: 'What serving costs, for the profit in reports', access: 'read', answer: costRatesSchema })
  get(@Query({ schema: noQuery }) _query: object): Promise<CostRatesView> {
    return this.costs.view();
  }

  @Put('cost-rates')
  @Endpoint({ summary: 'Set what serving costs', access: 'money', answer: costRatesSchema })
  async set(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: costRatesSchema }) rates: CostRatesView,
    @Req() request: Request,
  ): Promise<CostRatesView> {
    await this.costs.set(rates, actorOf(request));
    return rates;
  }
}
