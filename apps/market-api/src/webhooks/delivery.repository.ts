import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow, type AuditFact } from '../audit/audit-log.js';
import type { CallOutcome } from './call.js';

export interface DeliveryRow {
  readonly id: bigint;
  readonly eventId: bigint | null;
  readonly kind: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly lastAttemptAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastProblem: string | null;
  readonly body: string;
  readonly createdAt: Date;
}

/** A delivery that one process may try now. */
export interface ClaimedDelivery {
  readonly id: bigint;
  readonly kind: string;
  readonly body: string;
  readonly attempts: number;
  readonly url: string;
  readonly secret: Uint8Array;
}

/** Which attempt of which delivery. */
export interface DueDelivery {
  readonly id: bigint;
  readonly attempts: number;
}

/** Longer than a call takes; afterwards another process may try. */
const CLAIM_S = 60;

/** Seconds from an attempt to the next. Together about a day and a half: a receiver may be down over a night. */
export const BACK_OFF_S = [5, 30, 120, 600, 3_600, 14_400, 43_200, 64_800] as const;

/** What is delivered to webhooks. This table is the truth: the queue in Redis only keeps the time. */
@Injectable()
export class DeliveryRepository {
  constructor(private readonly prisma: PrismaClient) {}

  list(
    webhookId: string,
    state: string | undefined,
    before: bigint | undefined,
    limit: number,
  ): Promise<DeliveryRow[]> {
    return this.prisma.webhookDelivery.findMany({
      where: {
        webhookId,
        ...(state === undefined ? {} : { state }),
        ...(before === undefined ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
  }

  /** How many wait, and how many were given up in the last day, per webhook. */
  async counts(): Promise<Map<string, { pending: number; givenUp: number }>> {
    const rows = await this.prisma.$queryRaw<{ webhookId: string; pending: number; givenUp: number }[]>`
      SELECT "webhookId", count(*) FILTER (WHERE state = 'pending')::int AS pending,
             count(*) FILTER (WHERE state = 'given-up')::int AS "givenUp"
      FROM market.webhook_delivery
      WHERE state = 'pending' OR "createdAt" > now() - interval '1 day' GROUP BY 1`;
    return new Map(rows.map(({ webhookId, ...counts }) => [webhookId, counts]));
  }

  /** A delivery outside the log, to try a webhook. */
  async addTest(webhookId: string, body: string, fact: AuditFact): Promise<DeliveryRow> {
    const [row] = await this.prisma.$transaction([
      this.prisma.webhookDelivery.create({
        data: { webhookId, kind: 'webhook.test', body, nextAttemptAt: new Date() },
      }),
      this.prisma.auditEntry.create({ data: auditRow(fact) }),
    ]);
    return row;
  }

  /** Delivers again, from the first attempt; null when there is no such delivery. */
  async redeliver(webhookId: string, id: bigint, fact: AuditFact): Promise<DeliveryRow | null> {
    return this.prisma.$transaction(async (tx) => {
      const old = await tx.webhookDelivery.findFirst({ where: { id, webhookId } });
      if (old === null) return null;
      const { eventId, kind, body } = old;
      const row = await tx.webhookDelivery.create({
        data: { webhookId, eventId, kind, body, nextAttemptAt: new Date() },
      });
      await tx.auditEntry.create({ data: auditRow(fact) });
      return row;
    });
  }

  /** Attempts that are due, of webhooks that are not paused. */
  due(limit: number): Promise<DueDelivery[]> {
    return this.prisma.$queryRaw<DueDelivery[]>`
      SELECT d.id, d.attempts FROM market.webhook_delivery d JOIN market.webhook w ON w.id = d."webhookId"
      WHERE d.state = 'pending' AND d."nextAttemptAt" <= now() AND w.state = 'active'
        AND (d."claimedUntil" IS NULL OR d."claimedUntil" < now())
      ORDER BY d."nextAttemptAt" LIMIT ${limit}`;
  }

  /** Gives the attempt to one process; undefined when it is not due any more or another has it. */
  async claim({ id, attempts }: DueDelivery): Promise<ClaimedDelivery | undefined> {
    const rows = await this.prisma.$queryRaw<ClaimedDelivery[]>`
      UPDATE market.webhook_delivery d SET "claimedUntil" = now() + ${CLAIM_S} * interval '1 second'
      FROM market.webhook w
      WHERE d.id = ${id} AND d.attempts = ${attempts} AND d.state = 'pending' AND w.id = d."webhookId"
        AND w.state = 'active' AND (d."claimedUntil" IS NULL OR d."claimedUntil" < now())
      RETURNING d.id, d.kind, d.body, d.attempts, w.url, w.secret`;
    return rows[0];
  }

  /** Notes how the attempt went. Returns after how many seconds the next follows; null: none does. */
  async record({ id, attempts }: DueDelivery, outcome: CallOutcome): Promise<number | null> {
    const backOffS = outcome.ok ? null : (BACK_OFF_S[attempts] ?? null);
    const state = outcome.ok ? 'delivered' : backOffS === null ? 'given-up' : 'pending';
    await this.prisma.webhookDelivery.updateMany({
      where: { id, attempts },
      data: {
        state,
        attempts: { increment: 1 },
        nextAttemptAt: backOffS === null ? null : new Date(Date.now() + backOffS * 1_000),
        claimedUntil: null,
        lastAttemptAt: new Date(),
        lastStatus: outcome.status,
        lastProblem: outcome.ok ? null : outcome.problem,
      },
    });
    return backOffS;
  }
}
