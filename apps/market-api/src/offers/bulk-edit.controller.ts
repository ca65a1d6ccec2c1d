import { Body, Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { actorOf } from '../access/principal.js';
import { Endpoint } from '../http/endpoint.js';
import { noQuery } from '../http/schemas.js';
import { bulkEditBody, bulkEditSchema, type BulkEditAnswer, type BulkEditBody } from './bulk-edit.schemas.js';
import { BulkEditService } from './bulk-edit.service.js';

@ApiTags('offers')
@Controller('v1/offers')
export class BulkEditController {
  constructor(private readonly service: BulkEditService) {}

  @Post('bulk')
  @HttpCode(200)
  @Endpoint({
    summary: 'Change the terms of many torrents, all or none; or with dryRun say what that would come to, per torrent',
    access: 'money',
    answer: bulkEditSchema,
    refusals: [422],
  })
  edit(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: bulkEditBody }) body: BulkEditBody,
    @Req() request: Request,
  ): Promise<BulkEditAnswer> {
    return this.service.edit(body, actorOf(request));
  }
}
