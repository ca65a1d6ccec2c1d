import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { actorOf } from '../access/principal.js';
import { tagged, tagsToMatch } from '../http/content-tag.js';
import { Endpoint } from '../http/endpoint.js';
import { Conditional } from '../http/versioned.js';
import { infoHashParam, noQuery, type InfoHashParam } from '../http/schemas.js';
import {
  cordonBody,
  nodeParam,
  placementOverview,
  placementPreview,
  previewBody,
  replicasBody,
  torrentPlacement,
  type CordonBody,
  type NodeParam,
  type PlacementOverview,
  type PlacementPreview,
  type PreviewBody,
  type ReplicasBody,
  type TorrentPlacement,
} from './placement.schemas.js';
import { PlacementPreviewer } from './preview.js';
import { PlacementWishes, replicasTag } from './placement-wishes.js';

@ApiTags('placement')
@Controller('v1')
export class PlacementController {
  constructor(
    private readonly wishes: PlacementWishes,
    private readonly previewer: PlacementPreviewer,
  ) {}

  @Get('placement')
  @Endpoint({ summary: 'What each node has, and what is short of nodes', access: 'read', answer: placementOverview })
  overview(@Query({ schema: noQuery }) _query: object): Promise<PlacementOverview> {
    return this.wishes.overview();
  }

  @Post('placement/preview')
  @HttpCode(200)
  @Endpoint({
    summary: 'What would move if nodes left or joined; changes nothing',
    access: 'read',
    status: 200,
    answer: placementPreview,
    refusals: [404, 422],
  })
  preview(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: previewBody }) body: PreviewBody,
  ): Promise<PlacementPreview> {
    return this.previewer.preview(body);
  }

  @Post('nodes/:id/cordon')
  @HttpCode(200)
  @Endpoint({
    summary: 'Empty a node: it gets no torrents, and gives up those it has once others sell them',
    access: 'operate',
    status: 200,
    answer: placementOverview,
    refusals: [404],
  })
  cordon(
    @Param({ schema: nodeParam }) { id }: NodeParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: cordonBody }) { why }: CordonBody,
    @Req() request: Request,
  ): Promise<PlacementOverview> {
    return this.wishes.cordon(id, why, actorOf(request));
  }

  @Post('nodes/:id/uncordon')
  @HttpCode(200)
  @Endpoint({
    summary: 'Let a node have torrents again',
    access: 'operate',
    status: 200,
    answer: placementOverview,
    refusals: [404],
  })
  uncordon(
    @Param({ schema: nodeParam }) { id }: NodeParam,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
  ): Promise<PlacementOverview> {
    return this.wishes.cordon(id, null, actorOf(request));
  }

  @Get('torrents/:infoHash/placement')
  @Endpoint({ summary: 'The nodes of a torrent', access: 'read', answer: torrentPlacement, refusals: [404] })
  async ofTorrent(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TorrentPlacement> {
    return withTag(response, await this.wishes.ofTorrent(infoHash));
  }

  @Put('torrents/:infoHash/replicas')
  @Endpoint({
    summary: 'How many nodes sell a torrent',
    access: 'operate',
    answer: torrentPlacement,
    refusals: [404, 412],
  })
  @Conditional()
  async setReplicas(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: replicasBody }) { replicas }: ReplicasBody,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TorrentPlacement> {
    const tags = tagsToMatch(request);
    return withTag(response, await this.wishes.setReplicas(infoHash, replicas, actorOf(request), tags));
  }
}

function withTag(response: Response, placement: TorrentPlacement): TorrentPlacement {
  return tagged(response, replicasTag(placement.setByOperator ? placement.wanted : null), placement);
}
