import { Controller, Inject } from '@nestjs/common';
import { Handles, nodeRelease } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { DATABASE } from '../tokens.js';

type ReleaseRequest = z.output<typeof nodeRelease.request>;
type ReleaseReply = z.output<typeof nodeRelease.reply>;

/** Lets a quarantined node sell again when a person says so. What it sent meanwhile stays parked. */
@Controller()
export class QuarantineController {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Handles(nodeRelease)
  async release({ nodeId, why, releasedBy }: ReleaseRequest): Promise<ReleaseReply> {
    const rows = await this.prisma.$queryRaw<{ reason: string }[]>`
      DELETE FROM "channel"."quarantined_node" WHERE "nodeId" = ${nodeId} RETURNING "reason"`;
    const reason = rows[0]?.reason;
    if (reason === undefined) return { released: false };
    this.logger.warn({ nodeId, reason, why, releasedBy }, 'node released from quarantine');
    return { released: true, reason };
  }
}
