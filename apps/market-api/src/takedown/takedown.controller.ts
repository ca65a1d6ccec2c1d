import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { actorOf } from '../access/principal.js';
import { toIdPage, type Page } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { noQuery } from '../http/schemas.js';
import { TakedownRepository } from './takedown.repository.js';
import {
  liftBody,
  takedownBody,
  takedownPage,
  takedownParam,
  takedownQuery,
  takedownSchema,
  takedownView,
  takenSchema,
  type LiftBody,
  type TakedownBody,
  type TakedownParam,
  type TakedownQuery,
  type TakedownView,
  type TakenView,
} from './takedown.schemas.js';
import { TakedownService } from './takedown.service.js';

/** What the fleet must not seed. */
@ApiTags('takedowns')
@Controller('v1/takedowns')
export class TakedownController {
  constructor(
    private readonly service: TakedownService,
    private readonly takedowns: TakedownRepository,
  ) {}

  @Get()
  @Endpoint({ summary: 'Takedowns, newest first', access: 'read', answer: takedownPage })
  async list(@Query({ schema: takedownQuery }) { cursor, limit, inForce }: TakedownQuery): Promise<Page<TakedownView>> {
    const before = cursor === undefined ? undefined : BigInt(cursor);
    return toIdPage(await this.takedowns.list(before, inForce === 'true', limit), limit, takedownView);
  }

  @Post()
  @HttpCode(200)
  @Endpoint({
    summary: 'Take down a torrent, or all that hold a file; the nodes stop at once and nobody can add it again',
    access: 'operate',
    answer: takenSchema,
  })
  async take(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: takedownBody }) { hash, why, deleteContent }: TakedownBody,
    @Req() request: Request,
  ): Promise<TakenView> {
    const { row, removed } = await this.service.take({ hash, why, deleteContent }, actorOf(request));
    return { ...takedownView(row), removed };
  }

  @Post(':hash/lift')
  @HttpCode(200)
  @Endpoint({
    summary: 'Lift a takedown; torrents stay removed until they are added again',
    access: 'operate',
    answer: takedownSchema,
    refusals: [404],
  })
  async lift(
    @Param({ schema: takedownParam }) { hash }: TakedownParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: liftBody }) { why }: LiftBody,
    @Req() request: Request,
  ): Promise<TakedownView> {
    return takedownView(await this.service.lift(hash, why, actorOf(request)));
  }
}
