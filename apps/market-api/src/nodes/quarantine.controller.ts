import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Bus, nodeRelease } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import type { Request } from 'express';
import { actorOf } from '../access/principal.js';
import { auditRow } from '../audit/audit-log.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import {
  quarantinedParam,
  quarantineList,
  releaseBody,
  type QuarantinedParam,
  type QuarantineList,
  type ReleaseBody,
} from './quarantine.schemas.js';

/** More than a fleet has. */
const MAX_NODES = 5_000;

/** Nodes for which channel-service opens nothing, because of what they sent; it alone can let them go. */
@ApiTags('nodes')
@Controller('v1/nodes')
export class QuarantineController {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly bus: Bus,
  ) {}

  @Get('quarantined')
  @Endpoint({ summary: 'Nodes in quarantine', access: 'read', answer: quarantineList })
  async list(@Query({ schema: noQuery }) _query: object): Promise<QuarantineList> {
    const rows = await this.prisma.$queryRaw<{ nodeId: string; reason: string; at: Date; parked: number }[]>`
      SELECT q."nodeId", q.reason, q.at,
        (SELECT count(*)::int FROM channel.parked_payment p WHERE p."nodeId" = q."nodeId") AS parked
      FROM channel.quarantined_node q ORDER BY q."nodeId" LIMIT ${MAX_NODES}`;
    const items = rows.map(({ nodeId, reason, at, parked }) => ({
      nodeId,
      reason,
      since: at.toISOString(),
      parkedPayments: parked,
    }));
    return { items };
  }

  @Post(':id/release')
  @HttpCode(200)
  @Endpoint({
    summary: 'Let a quarantined node sell again',
    access: 'money',
    status: 200,
    answer: quarantineList,
    refusals: [404, 503],
  })
  async release(
    @Param({ schema: quarantinedParam }) { id }: QuarantinedParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: releaseBody }) { why }: ReleaseBody,
    @Req() request: Request,
  ): Promise<QuarantineList> {
    const held = await this.prisma.quarantinedNode.findUnique({ where: { nodeId: id } });
    if (held === null) throw new Problem(404, 'node-not-found', `no node called ${id} is in quarantine`);
    const actor = actorOf(request);
    // Written first: a release that nobody can be asked about must not happen.
    const fact = { actor, action: 'node.release', target: id, data: { why, reason: held.reason } };
    await this.prisma.auditEntry.create({ data: auditRow(fact) });
    const answer = await this.bus.request(nodeRelease, { nodeId: id, why, releasedBy: actor });
    if (!answer.ok) throw new Problem(503, 'unavailable', `channel-service does not answer: ${answer.code}`);
    return this.list({});
  }
}
