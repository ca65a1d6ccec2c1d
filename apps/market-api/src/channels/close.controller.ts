import { Body, Controller, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Bus, channelClose } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import type { Request } from 'express';
import { actorOf } from '../access/principal.js';
import { auditRow } from '../audit/audit-log.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import { ChannelTransactions } from './channel-transactions.js';
import { ChannelRepository } from './channel.repository.js';
import {
  channelDetailSchema,
  channelIdParam,
  closeBody,
  type ChannelDetail,
  type ChannelIdParam,
  type CloseBody,
} from './channel.schemas.js';
import { channelDetail } from './channel.views.js';

/** Ends a channel by hand; channel-service alone moves it. */
@ApiTags('channels')
@Controller('v1/channels')
export class CloseController {
  constructor(
    private readonly channels: ChannelRepository,
    private readonly transactions: ChannelTransactions,
    private readonly prisma: PrismaClient,
    private readonly bus: Bus,
  ) {}

  @Post(':id/close')
  @HttpCode(200)
  @Endpoint({
    summary: 'Serve an open channel no more, and settle it for what was paid',
    access: 'money',
    status: 200,
    answer: channelDetailSchema,
    refusals: [404, 409, 503],
  })
  async close(
    @Param({ schema: channelIdParam }) { id }: ChannelIdParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: closeBody }) { why }: CloseBody,
    @Req() request: Request,
  ): Promise<ChannelDetail> {
    const found = await this.channels.find(id);
    if (found === undefined) throw notFound(id);
    const actor = actorOf(request);
    // Written first: a close that nobody can be asked about must not happen.
    const fact = { actor, action: 'channel.close', target: id, data: { why, state: found.state } };
    await this.prisma.auditEntry.create({ data: auditRow(fact) });
    const answer = await this.bus.request(channelClose, { channelId: id, why, closedBy: actor });
    if (!answer.ok) throw new Problem(503, 'unavailable', `channel-service does not answer: ${answer.code}`);
    const row = await this.channels.find(id);
    if (row === undefined || (!answer.value.closed && answer.value.code === 'channel-unknown')) throw notFound(id);
    if (!answer.value.closed && answer.value.code !== 'channel-unknown') {
      const { state } = row;
      throw new Problem(409, answer.value.code, `channel ${id} is ${state}`, { channelId: id, state });
    }
    return channelDetail(row, await this.channels.story(id), await this.transactions.of(id));
  }
}

const notFound = (id: string): Problem =>
  new Problem(404, 'channel-not-found', `there is no channel ${id}`, { channelId: id });
