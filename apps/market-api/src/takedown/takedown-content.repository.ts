import { Injectable } from '@nestjs/common';
import { shownAddress } from '@seedfleet/bittorrent';
import type { takenDownAmong, takenDownContent } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import type { z } from 'zod';
import { auditRow } from '../audit/audit-log.js';

type TakenDown = z.output<typeof takenDownAmong.reply>['takenDown'];

/** What becomes of the content of torrents that were taken down. */
@Injectable()
export class TakedownContentRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Those of these torrents that a takedown in force hits, by themselves or by a file. */
  among(infoHashes: readonly string[]): Promise<TakenDown> {
    if (infoHashes.length === 0) return Promise.resolve([]);
    return this.prisma.$queryRaw<TakenDown>`
      SELECT t."infoHash", t."contentPath", bool_or(d."deleteContent") AS "deleteOwn"
      FROM market.torrent t
      JOIN market.takedown d ON d."liftedAt" IS NULL
        AND (d.hash = t."infoHash" OR d.hash = ANY(coalesce(t."fileHashes", '{}')))
      WHERE t."infoHash" = ANY(${[...infoHashes]}::text[]) AND t.state = 'removed'
      GROUP BY 1, 2 ORDER BY 1`;
  }

  /** Notes in the audit what a node did. */
  async note({ nodeId, infoHash, ...done }: z.output<typeof takenDownContent.request>): Promise<void> {
    const { deletedBytes, leftAt, problem } = done;
    const data = {
      deletedBytes,
      leftAt: shownAddress(leftAt).replaceAll('\0', ' '),
      problem: problem.replaceAll('\0', ' '),
    };
    await this.prisma.auditEntry.create({
      data: auditRow({ actor: `node:${nodeId}`, action: 'takedown.content', target: infoHash, data }),
    });
  }
}
