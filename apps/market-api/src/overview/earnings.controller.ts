import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { validationProblem } from '../http/problem.js';
import { EARNER_SORTS, EarningsRepository, type EarnerCursor, type EarnerSort } from './earnings.repository.js';
import {
  earnerSchema,
  earnersPage,
  earnersQuery,
  earningsView,
  seriesQuery,
  seriesSchema,
  SPARK_DAYS,
} from './earnings.schemas.js';

const HOUR_MS = 3_600_000;
const PERIOD_MS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;

const cursorParts = z.tuple([
  z.enum(EARNER_SORTS),
  z.string().regex(/^-?\d{1,18}$/),
  z.string().regex(/^[0-9a-f]{40}$/),
]);

/** What the overview of the dashboard shows of money. */
@ApiTags('overview')
@Controller('v1/overview')
export class EarningsController {
  constructor(private readonly earnings: EarningsRepository) {}

  @Get('series')
  @Endpoint({
    summary: 'What was booked by hour or day, of the fleet or a torrent',
    access: 'read',
    answer: seriesSchema,
  })
  async series(@Query({ schema: seriesQuery }) { period, count, infoHash }: z.output<typeof seriesQuery>) {
    const [starts, since] = periods(period, count);
    const [rows, total, own] = await Promise.all([
      this.earnings.series(period, since, infoHash),
      this.earnings.total(),
      infoHash === undefined ? undefined : this.earnings.ofTorrents([infoHash]),
    ]);
    const booked = new Map(rows.map((row) => [row.start.getTime(), row]));
    return {
      period,
      items: starts.map((start) => ({ start: new Date(start).toISOString(), ...earningsView(booked.get(start)) })),
      total: earningsView(infoHash === undefined ? total : own?.get(infoHash)),
    };
  }

  @Get('earners')
  @Endpoint({ summary: 'Torrents by what they earned, each with its last days', access: 'read', answer: earnersPage })
  async earners(
    @Query({ schema: earnersQuery }) { sort, search, cursor, limit }: z.output<typeof earnersQuery>,
  ): Promise<Page<z.output<typeof earnerSchema>>> {
    const rows = await this.earnings.leaders(sort, search, decode(sort, cursor), limit);
    const shown = rows.slice(0, limit);
    const infoHashes = shown.map(({ infoHash }) => infoHash);
    const [starts, since] = periods('day', SPARK_DAYS);
    const [figures, days] = await Promise.all([
      this.earnings.ofTorrents(infoHashes),
      this.earnings.daysOfTorrents(infoHashes, since),
    ]);
    const last = shown.at(-1);
    return {
      items: shown.map(({ infoHash, name }) => ({
        infoHash,
        name,
        ...earningsView(figures.get(infoHash)),
        days: starts.map((start) => (days.get(infoHash)?.get(isoDay(start)) ?? 0n).toString()),
      })),
      nextCursor: rows.length > limit && last !== undefined ? encode(sort, last.amount, last.infoHash) : null,
    };
  }
}

/** The beginnings of the last periods, in UTC, oldest first; and the first of them. */
function periods(period: 'hour' | 'day', count: number): [number[], Date] {
  const lengthMs = PERIOD_MS[period];
  const current = Math.floor(Date.now() / lengthMs) * lengthMs;
  const starts = Array.from({ length: count }, (_, place) => current - (count - 1 - place) * lengthMs);
  return [starts, new Date(starts[0] ?? current)];
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function encode(sort: EarnerSort, amount: bigint, infoHash: string): string {
  return Buffer.from(JSON.stringify([sort, amount.toString(), infoHash])).toString('base64url');
}

function decode(sort: EarnerSort, text: string | undefined): EarnerCursor | undefined {
  if (text === undefined) return undefined;
  try {
    const [of, amount, infoHash] = cursorParts.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (of !== sort) throw new Error('another order');
    return { amount, infoHash };
  } catch {
    throw validationProblem([{ message: 'not a cursor of this list in this order', path: ['cursor'] }]);
  }
}
