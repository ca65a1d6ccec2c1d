import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Endpoint } from '../http/endpoint.js';
import { infoHashText, timeText } from '../http/schemas.js';
import { figuresSchema } from '../reports/report.schemas.js';
import { figuresText } from '../reports/report.views.js';
import { NOTHING, SeriesRepository } from './series.repository.js';

/** Two weeks of hours or a good year of days: as much as a chart can show. */
const MAX_PERIODS = 400;
const HOUR_MS = 3_600_000;
const PERIOD_MS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;

const seriesQuery = z.strictObject({
  period: z.enum(['hour', 'day']).default('day'),
  count: z.coerce.number().int().min(1).max(MAX_PERIODS).default(30).meta({ description: 'periods, up to now' }),
  infoHash: infoHashText.optional().meta({ description: 'only this torrent' }),
});
const seriesSchema = z.object({
  period: z.enum(['hour', 'day']),
  items: z
    .array(figuresSchema.extend({ start: timeText }))
    .meta({ description: 'every period (UTC), also those in which nothing was booked; oldest first' }),
  total: figuresSchema.meta({ description: 'over all time' }),
});

/** What a chart of revenue shows. */
@ApiTags('overview')
@Controller('v1/overview')
export class SeriesController {
  constructor(private readonly figures: SeriesRepository) {}

  @Get('series')
  @Endpoint({
    summary: 'What was booked by hour or day, of the fleet or a torrent',
    access: 'read',
    answer: seriesSchema,
  })
  async series(
    @Query({ schema: seriesQuery }) { period, count, infoHash }: z.output<typeof seriesQuery>,
  ): Promise<z.output<typeof seriesSchema>> {
    const lengthMs = PERIOD_MS[period];
    const current = Math.floor(Date.now() / lengthMs) * lengthMs;
    const starts = Array.from({ length: count }, (_, place) => current - (count - 1 - place) * lengthMs);
    const [rows, total] = await Promise.all([
      this.figures.since(period, new Date(starts[0] ?? current), infoHash),
      this.figures.total(infoHash),
    ]);
    const booked = new Map(rows.map(({ start, figures }) => [start.getTime(), figures]));
    return {
      period,
      items: starts.map((start) => ({
        start: new Date(start).toISOString(),
        ...figuresText(booked.get(start) ?? NOTHING),
      })),
      total: figuresText(total),
    };
  }
}
