import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import { decodeChannelCursor, encodeChannelCursor, OPEN_STATES } from './channel-order.js';
import { ChannelTransactions } from './channel-transactions.js';
import { ChannelRepository } from './channel.repository.js';
import {
  channelDetailSchema,
  channelIdParam,
  channelPage,
  listChannelsQuery,
  type ChannelDetail,
  type ChannelIdParam,
  type ChannelView,
  type ListChannelsQuery,
} from './channel.schemas.js';
import { channelDetail, channelView } from './channel.views.js';

@ApiTags('channels')
@Controller('v1/channels')
export class ChannelController {
  constructor(
    private readonly channels: ChannelRepository,
    private readonly transactions: ChannelTransactions,
  ) {}

  @Get()
  @Endpoint({
    summary: 'List channels, newest first; or the open ones by deadline or exposure',
    access: 'read',
    answer: channelPage,
  })
  async list(@Query({ schema: listChannelsQuery }) query: ListChannelsQuery): Promise<Page<ChannelView>> {
    const { sort, cursor, limit, state, infoHash, nodeId } = query;
    const states = state ?? (sort === 'newest' ? undefined : OPEN_STATES);
    const rows = await this.channels.list({ states, infoHash, nodeId }, sort, decodeChannelCursor(sort, cursor), limit);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(channelView),
      nextCursor:
        rows.length > limit && last !== undefined
          ? encodeChannelCursor(sort, { value: last.place, id: last.id })
          : null,
    };
  }

  @Get(':id')
  @Endpoint({
    summary: 'A channel with its story, its transactions and what happens next',
    access: 'read',
    answer: channelDetailSchema,
    refusals: [404],
  })
  async get(
    @Param({ schema: channelIdParam }) { id }: ChannelIdParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<ChannelDetail> {
    const row = await this.channels.find(id);
    if (row === undefined) throw new Problem(404, 'channel-not-found', `there is no channel ${id}`, { channelId: id });
    return channelDetail(row, await this.channels.story(id), await this.transactions.of(id));
  }
}
