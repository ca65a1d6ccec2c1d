import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Endpoint } from '../http/endpoint.js';
import { noQuery, timeText } from '../http/schemas.js';
import { AlertBoard } from './alert-board.js';

const alertSchema = z.object({
  code: z.string(),
  severity: z.enum(['critical', 'warning']),
  title: z.string(),
  subject: z.string().nullable().meta({ description: 'the node, webhook or state concerned' }),
  count: z.int().meta({ description: 'how many are concerned; 10000 means at least so many' }),
  since: timeText.nullable(),
  detail: z.string(),
});
const alertList = z.object({ items: z.array(alertSchema) });

@ApiTags('overview')
@Controller('v1/alerts')
export class AlertsController {
  constructor(private readonly board: AlertBoard) {}

  @Get()
  @Endpoint({ summary: 'What needs attention, worst first', access: 'read', answer: alertList })
  async list(@Query({ schema: noQuery }) _query: object): Promise<z.output<typeof alertList>> {
    const alerts = await this.board.now();
    return { items: alerts.map(({ since, ...alert }) => ({ ...alert, since: since?.toISOString() ?? null })) };
  }
}
