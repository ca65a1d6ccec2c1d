import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow, type AuditFact } from '../audit/audit-log.js';
import { requireVersion } from '../http/versioned.js';
import { MAX_WEBHOOKS, type ChangeWebhookBody } from './webhook.schemas.js';

export interface WebhookRow {
  readonly id: string;
  readonly url: string;
  readonly kinds: string[];
  readonly description: string;
  readonly state: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = {
  id: true,
  url: true,
  kinds: true,
  description: true,
  state: true,
  version: true,
  createdAt: true,
  updatedAt: true,
} as const;

/** Serialises what counts webhooks. */
const WEBHOOKS_LOCK = 0x5eed_0a11;

@Injectable()
export class WebhookRepository {
  constructor(private readonly prisma: PrismaClient) {}

  list(): Promise<WebhookRow[]> {
    return this.prisma.webhook.findMany({ select: columns, orderBy: { createdAt: 'asc' }, take: MAX_WEBHOOKS });
  }

  find(id: string): Promise<WebhookRow | null> {
    return this.prisma.webhook.findUnique({ where: { id }, select: columns });
  }

  /** Null when there are as many as there may be. */
  async add(
    hook: { id: string; url: string; kinds: string[]; description: string; secret: Uint8Array<ArrayBuffer> },
    fact: AuditFact,
  ): Promise<WebhookRow | null> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${WEBHOOKS_LOCK})`;
      if ((await tx.webhook.count()) >= MAX_WEBHOOKS) return null;
      const row = await tx.webhook.create({ data: hook, select: columns });
      await tx.auditEntry.create({ data: auditRow(fact) });
      return row;
    });
  }

  /** Null when there is none. */
  async change(
    id: string,
    { url, kinds, description, state }: ChangeWebhookBody,
    versions: readonly number[] | undefined,
    fact: AuditFact,
  ): Promise<WebhookRow | null> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM market.webhook WHERE id = ${id} FOR UPDATE`;
      const known = await tx.webhook.findUnique({ where: { id }, select: { version: true } });
      if (known === null) return null;
      requireVersion(versions, known.version);
      const row = await tx.webhook.update({
        where: { id },
        data: {
          ...(url === undefined ? {} : { url }),
          ...(kinds === undefined ? {} : { kinds }),
          ...(description === undefined ? {} : { description }),
          ...(state === undefined ? {} : { state }),
          version: { increment: 1 },
          updatedAt: new Date(),
        },
        select: columns,
      });
      await tx.auditEntry.create({ data: auditRow(fact) });
      return row;
    });
  }

  /** Removes it with its deliveries. False when there is none. */
  async remove(id: string, fact: AuditFact): Promise<boolean> {
    return this.prisma.$transaction(async (tx) => {
      const removed = await tx.webhook.deleteMany({ where: { id } });
      if (removed.count === 0) return false;
      await tx.auditEntry.create({ data: auditRow(fact) });
      return true;
    });
  }
}
