import { Body, Controller, Get, HttpStatus, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { actorOf } from '../access/principal.js';
import { requireScope } from '../access/require-scope.js';
import type { Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { toJsonSchema } from '../http/json-schema.js';
import { validationProblem } from '../http/problem.js';
import { Conditional, Versioned, versionsToMatch } from '../http/versioned.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import {
  addTorrentBody,
  addTorrentQuery,
  changeTorrentBody,
  listTorrentsQuery,
  torrentDetailSchema,
  torrentPage,
  type AddTorrentQuery,
  type ChangeTorrentBody,
  type ListTorrentsQuery,
  type TorrentDetail,
  type TorrentView,
} from './torrent.schemas.js';
import { decodeTorrentCursor } from './torrent-order.js';
import { TorrentService, type TorrentToAdd } from './torrent.service.js';

@ApiTags('torrents')
@Controller('v1/torrents')
export class TorrentController {
  constructor(private readonly service: TorrentService) {}

  @Post()
  @Endpoint({
    summary: 'Add a torrent, or bring a known one back on sale',
    access: 'operate',
    status: 201,
    answer: torrentDetailSchema,
    refusals: [409, 413, 415, 422],
  })
  @ApiResponse({ status: 200, description: 'It was known', standardSchema: torrentDetailSchema })
  @ApiConsumes('application/json', 'application/x-bittorrent')
  @ApiBody({ schema: toJsonSchema(addTorrentBody, 'input') })
  async add(
    @Body() body: unknown,
    @Query({ schema: addTorrentQuery }) query: AddTorrentQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TorrentDetail> {
    const torrent = Buffer.isBuffer(body) ? fromFile(body, query) : fromJson(body, query);
    if (torrent.tier !== undefined) requireScope(request, 'money');
    const { created, torrent: detail } = await this.service.add(torrent, actorOf(request));
    response.status(created ? HttpStatus.CREATED : HttpStatus.OK).location(`/v1/torrents/${detail.infoHash}`);
    return detail;
  }

  @Get()
  @Endpoint({ summary: 'List torrents', access: 'read', answer: torrentPage })
  list(@Query({ schema: listTorrentsQuery }) query: ListTorrentsQuery): Promise<Page<TorrentView>> {
    const states = query.state === undefined ? (['active', 'paused'] as const) : [query.state];
    const { label, tier, search, sort, limit } = query;
    const filter = { states, label, tier, search, available: query.available === 'true' };
    return this.service.list(filter, sort, decodeTorrentCursor(sort, query.cursor), limit);
  }

  @Get(':infoHash')
  @Endpoint({ summary: 'A torrent with its nodes', access: 'read', answer: torrentDetailSchema, refusals: [404] })
  @Versioned<TorrentDetail>(({ version }) => version)
  get(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<TorrentDetail> {
    return this.service.get(infoHash);
  }

  @Patch(':infoHash')
  @Endpoint({
    summary: 'Pause, resume, remove, move, label or grade a torrent',
    access: 'operate',
    answer: torrentDetailSchema,
    refusals: [404, 409, 412, 422],
  })
  @Conditional()
  @Versioned<TorrentDetail>(({ version }) => version)
  change(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: changeTorrentBody }) { state, contentPath, labels, tier }: ChangeTorrentBody,
    @Req() request: Request,
  ): Promise<TorrentDetail> {
    const change = {
      ...(state === undefined ? {} : { state }),
      ...(contentPath === undefined ? {} : { contentPath }),
      ...(labels === undefined ? {} : { labels }),
      ...(tier === undefined ? {} : { tier }),
    };
    if (tier !== undefined) requireScope(request, 'money');
    return this.service.change(infoHash, change, actorOf(request), versionsToMatch(request));
  }
}

function fromFile(file: Buffer, { contentPath, label, tier }: AddTorrentQuery): TorrentToAdd {
  if (contentPath === undefined) throw validationProblem([{ message: 'is needed', path: ['contentPath'] }]);
  return { metainfo: file, contentPath, labels: label, tier };
}

function fromJson(body: unknown, query: AddTorrentQuery): TorrentToAdd {
  if (Object.keys(query).length > 0) {
    throw validationProblem([{ message: 'with a JSON body, everything is in the body', path: ['query'] }]);
  }
  const parsed = addTorrentBody.safeParse(body);
  if (!parsed.success) throw validationProblem(parsed.error.issues);
  const { metainfo, contentPath, labels, tier } = parsed.data;
  return { metainfo: Buffer.from(metainfo, 'base64'), contentPath, labels, tier };
}
