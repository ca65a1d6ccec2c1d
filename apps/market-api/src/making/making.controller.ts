import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { actorOf } from '../access/principal.js';
import { requireScope } from '../access/require-scope.js';
import { toIdPage, type Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import { CONTENT_ROOTS, rootedContent, type ContentRoot } from './content-roots.js';
import { Maker } from './maker.js';
import { MakingRepository, type MakingRow } from './making.repository.js';
import {
  makingBody,
  makingPage,
  makingParam,
  makingSchema,
  makingsQuery,
  makingView,
  type MakingBody,
  type MakingParam,
  type MakingsQuery,
  type MakingView,
} from './making.schemas.js';

/** Torrents made from a file or folder. */
@ApiTags('torrents')
@Controller('v1/makings')
export class MakingController {
  constructor(
    private readonly makings: MakingRepository,
    private readonly maker: Maker,
    @Inject(CONTENT_ROOTS) private readonly roots: readonly ContentRoot[],
  ) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @Endpoint({
    summary: 'Make a torrent from a file or folder below a content root, and add it',
    access: 'operate',
    status: 202,
    answer: makingSchema,
    refusals: [409, 422],
  })
  async create(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: makingBody }) body: MakingBody,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MakingView> {
    if (body.tier !== undefined) requireScope(request, 'money');
    // What can't be is said at once; it is looked at again when its turn comes.
    await rootedContent(this.roots, body.path);
    const row = await this.makings.create(body, actorOf(request));
    this.maker.wake();
    response.location(`/v1/makings/${row.id}`);
    return makingView(row);
  }

  @Get()
  @Endpoint({ summary: 'Torrents being made and made, newest first', access: 'read', answer: makingPage })
  async list(@Query({ schema: makingsQuery }) { cursor, state, limit }: MakingsQuery): Promise<Page<MakingView>> {
    const before = cursor === undefined ? undefined : BigInt(cursor);
    return toIdPage(await this.makings.list(before, state, limit), limit, makingView);
  }

  @Get(':id')
  @Endpoint({ summary: 'How far one is', access: 'read', answer: makingSchema, refusals: [404] })
  async get(
    @Param({ schema: makingParam }) { id }: MakingParam,
    @Query({ schema: noQuery }) _query: object,
  ): Promise<MakingView> {
    return makingView(await this.row(id));
  }

  @Delete(':id')
  @Endpoint({
    summary: 'Call one off that is not done',
    access: 'operate',
    answer: makingSchema,
    refusals: [404, 409],
  })
  async cancel(
    @Param({ schema: makingParam }) { id }: MakingParam,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
  ): Promise<MakingView> {
    await this.row(id);
    const cancelled = await this.makings.cancel(BigInt(id), actorOf(request));
    const row = await this.row(id);
    if (!cancelled && row.state !== 'cancelled')
      throw new Problem(409, 'making-over', `it is ${row.state}`, { state: row.state });
    return makingView(row);
  }

  private async row(id: string): Promise<MakingRow> {
    const row = await this.makings.find(BigInt(id));
    if (row === null) throw new Problem(404, 'making-not-found', `no torrent is made under ${id}`, { id });
    return row;
  }
}
