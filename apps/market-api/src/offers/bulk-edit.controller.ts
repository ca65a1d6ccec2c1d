import { Body, Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { actorOf } from '../access/principal.js';
import { tagged, tagsToMatch } from '../http/content-tag.js';
import { Endpoint } from '../http/endpoint.js';
import { noQuery } from '../http/schemas.js';
import { Conditional } from '../http/versioned.js';
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
    refusals: [412, 422],
  })
  @Conditional()
  async edit(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: bulkEditBody }) body: BulkEditBody,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BulkEditAnswer> {
    const { answer, tag } = await this.service.edit(body, actorOf(request), tagsToMatch(request));
    // Whoever sends the rehearsal's tag back changes exactly what was rehearsed.
    return body.dryRun ? tagged(response, tag, answer) : answer;
  }
}
