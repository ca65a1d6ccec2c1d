import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PrismaClient } from '@seedfleet/persistence';
import { z } from 'zod';
import { idCursor, pageOf, pageQuery, toIdPage } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { timeText } from '../http/schemas.js';

const word = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{C}+$/u, 'must be printable');
const instant = z.iso.datetime({ offset: true });

const auditQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: idCursor,
  actor: word.optional().meta({ description: 'as `key:ID`, or `service`' }),
  action: word.optional().meta({ description: 'as `offer.set`' }),
  target: word.optional().meta({ description: 'an infohash, a key’s id' }),
  since: instant.optional(),
  until: instant.optional(),
});

export const auditEntrySchema = z.object({
  id: z.string(),
  at: timeText,
  actor: z.string(),
  /** The name of the actor's key; null where it has none. */
  actorName: z.string().nullable(),
  action: z.string(),
  target: z.string(),
  data: z.unknown(),
});

/** Who changed what, and when. Nothing here can be changed through the API, nor by this service's role. */
@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly prisma: PrismaClient) {}

  @Get()
  @Endpoint({ summary: 'Every write through the API, newest first', access: 'read', answer: pageOf(auditEntrySchema) })
  async list(
    @Query({ schema: auditQuery }) { cursor, limit, actor, action, target, since, until }: z.output<typeof auditQuery>,
  ) {
    const rows = await this.prisma.auditEntry.findMany({
      where: {
        ...(cursor === undefined ? {} : { id: { lt: BigInt(cursor) } }),
        ...(actor === undefined ? {} : { actor }),
        ...(action === undefined ? {} : { action }),
        ...(target === undefined ? {} : { target }),
        ...(since === undefined && until === undefined
          ? {}
          : {
              at: {
                ...(since === undefined ? {} : { gte: new Date(since) }),
                ...(until === undefined ? {} : { lt: new Date(until) }),
              },
            }),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
    const names = await this.namesOf(rows.map((row) => row.actor));
    return toIdPage(rows, limit, (row) => ({
      id: row.id.toString(),
      at: row.at.toISOString(),
      actor: row.actor,
      actorName: names.get(row.actor) ?? null,
      action: row.action,
      target: row.target,
      data: row.data,
    }));
  }

  private async namesOf(actors: readonly string[]): Promise<Map<string, string>> {
    const ids = [...new Set(actors.filter((actor) => actor.startsWith('key:')).map((actor) => actor.slice(4)))];
    const keys = await this.prisma.apiKey.findMany({ where: { id: { in: ids } }, select: { id: true, name: true } });
    return new Map(keys.map(({ id, name }) => [`key:${id}`, name]));
  }
}
