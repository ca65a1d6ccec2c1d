import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { actorOf } from '../access/principal.js';
import { Endpoint } from '../http/endpoint.js';
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
import { PlacementWishes } from './placement-wishes.js';

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
  preview(@Body({ schema: previewBody }) body: PreviewBody): Promise<PlacementPreview> {
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
  uncordon(@Param({ schema: nodeParam }) { id }: NodeParam, @Req() request: Request): Promise<PlacementOverview> {
    return this.wishes.cordon(id, null, actorOf(request));
  }

  @Get('torrents/:infoHash/placement')
  @Endpoint({ summary: 'The nodes of a torrent', access: 'read', answer: torrentPlacement, refusals: [404] })
  ofTorrent(@Param({ schema: infoHashParam }) { infoHash }: InfoHashParam): Promise<TorrentPlacement> {
    return this.wishes.ofTorrent(infoHash);
  }

  @Put('torrents/:infoHash/replicas')
  @Endpoint({
    summary: 'How many nodes sell a torrent',
    access: 'operate',
    answer: torrentPlacement,
    refusals: [404],
  })
  setReplicas(
    @Param({ schema: infoHashParam }) { infoHash }: InfoHashParam,
    @Body({ schema: replicasBody }) { replicas }: ReplicasBody,
    @Req() request: Request,
  ): Promise<TorrentPlacement> {
    return this.wishes.setReplicas(infoHash, replicas, actorOf(request));
  }
}
