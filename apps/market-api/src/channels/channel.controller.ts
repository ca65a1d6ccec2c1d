import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { decodeCursor, toPage, type Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
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

const cursorKey = z.uuid();

@ApiTags('channels')
@Controller('v1/channels')
export class ChannelController {
  constructor(private readonly channels: ChannelRepository) {}

  @Get()
  @Endpoint({ summary: 'List channels, newest first', access: 'read', answer: channelPage })
  async list(@Query({ schema: listChannelsQuery }) query: ListChannelsQuery): Promise<Page<ChannelView>> {
    const after = decodeCursor(query.cursor, cursorKey);
    const filter = { states: query.state, infoHash: query.infoHash, nodeId: query.nodeId };
    const rows = await this.channels.list(filter, after, query.limit);
    return toPage(rows, query.limit, ({ at, id }) => ({ at, key: id }), channelView);
  }

  @Get(':id')
  @Endpoint({ summary: 'A channel with its story', access: 'read', answer: channelDetailSchema, refusals: [404] })
  async get(
    @Param({ schema: channelIdParam }) { id }: ChannelIdParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<ChannelDetail> {
    const row = await this.channels.find(id);
    if (row === undefined) throw new Problem(404, 'channel-not-found', `there is no channel ${id}`, { channelId: id });
    return channelDetail(row, await this.channels.story(id));
  }
}
