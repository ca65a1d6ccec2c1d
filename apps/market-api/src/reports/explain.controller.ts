import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { partsOfFigure } from '@seedfleet/books';
import { z } from 'zod';
import { ChannelRepository } from '../channels/channel.repository.js';
import { channelIdParam, type ChannelIdParam } from '../channels/channel.schemas.js';
import { decodeCursor, toPage } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import { ExplainRepository, type BookLine, type ExplainedChannel } from './explain.repository.js';
import { figuresOf } from './figures.js';
import { MeasureRepository } from './measure.repository.js';
import { periodOf } from './period.js';
import {
  channelBooks,
  explainQuery,
  explanation,
  type ChannelBooks,
  type ExplainQuery,
  type Explanation,
} from './report.schemas.js';
import { subjectOf } from './report.service.js';

/** Postings of one channel shown at once; a sale of 100,000 pieces rarely makes more. */
const MAX_POSTINGS = 1_000;
const cursorKey = z.uuid();

@ApiTags('reports')
@Controller('v1')
export class ExplainController {
  constructor(
    private readonly explain: ExplainRepository,
    private readonly measures: MeasureRepository,
    private readonly channels: ChannelRepository,
  ) {}

  @Get('reports/explain')
  @Endpoint({ summary: 'The channels and transactions behind a figure', access: 'read', answer: explanation })
  async figure(@Query({ schema: explainQuery }) query: ExplainQuery): Promise<Explanation> {
    const subject = subjectOf(query);
    const period = periodOf(query);
    const after = decodeCursor(query.cursor, cursorKey);
    const [rows, sums, treasurySat] = await Promise.all([
      this.explain.channels(query.figure, subject, period, after, query.limit),
      this.measures.sums(subject.subject, [subject.key], period),
      subject.subject === 'fleet' ? this.explain.treasury(query.figure, period) : 0n,
    ]);
    const page = toPage(rows, query.limit, ({ at, channelId }) => ({ at, key: channelId }), explainedView);
    const figures = figuresOf(sums.get(subject.key));
    const totalSat = partsOfFigure(query.figure).reduce((total, part) => total + figures[part], 0n);
    return { figure: query.figure, totalSat: totalSat.toString(), treasurySat: treasurySat.toString(), ...page };
  }

  @Get('channels/:id/books')
  @Endpoint({ summary: 'A channel in the books', access: 'read', answer: channelBooks, refusals: [404] })
  async books(
    @Param({ schema: channelIdParam }) { id }: ChannelIdParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<ChannelBooks> {
    if ((await this.channels.find(id)) === undefined) {
      throw new Problem(404, 'channel-not-found', `there is no channel ${id}`, { channelId: id });
    }
    const [balances, lines] = await Promise.all([this.explain.balances(id), this.explain.lines(id, MAX_POSTINGS + 1)]);
    const postings = byPosting(lines);
    return {
      channelId: id,
      balances: Object.fromEntries(balances.map(({ account, amountSat }) => [account, amountSat.toString()])),
      postings: postings.slice(0, MAX_POSTINGS),
      more: postings.length > MAX_POSTINGS,
    };
  }
}

function explainedView(row: ExplainedChannel): Explanation['items'][number] {
  const { at: _at, peerSubnet, amountSat, createdAt, ...rest } = row;
  return { ...rest, buyer: peerSubnet, amountSat: amountSat.toString(), createdAt: createdAt.toISOString() };
}

function byPosting(lines: readonly BookLine[]): ChannelBooks['postings'] {
  const postings = new Map<bigint, ChannelBooks['postings'][number]>();
  for (const { postingId, at, state, reason, account, amountSat } of lines) {
    const known = postings.get(postingId) ?? {
      id: postingId.toString(),
      at: at.toISOString(),
      state,
      reason,
      entries: {},
    };
    known.entries[account] = amountSat.toString();
    postings.set(postingId, known);
  }
  return [...postings.values()];
}
