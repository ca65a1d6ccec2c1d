import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint } from '../http/endpoint.js';
import { noQuery } from '../http/schemas.js';
import { NodeRepository } from './node.repository.js';
import { nodeList, type NodeView } from './node.schemas.js';
import { nodeView } from './node.views.js';

@ApiTags('nodes')
@Controller('v1/nodes')
export class NodeController {
  constructor(private readonly nodes: NodeRepository) {}

  @Get()
  @Endpoint({ summary: 'The nodes of the fleet', access: 'read', answer: nodeList })
  async list(@Query({ schema: noQuery }) _query: object): Promise<{ items: NodeView[] }> {
    const [rows, counts] = await Promise.all([this.nodes.list(), this.nodes.torrentCounts()]);
    const nowMs = Date.now();
    return { items: rows.map((row) => nodeView(row, counts, nowMs)) };
  }
}
