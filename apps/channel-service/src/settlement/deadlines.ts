import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { ChainStatus } from '../chain/chain-status.js';
import type { Database } from '../channels/database.js';
import { DATABASE } from '../tokens.js';
import { AWAITED_PAYMENT_SECONDS } from './awaited-payment.js';
import { SettlementWorker } from './settlement-worker.js';

/** Closes channels whose deadline has come, at every new median time past. */
@Injectable()
export class Deadlines implements OnApplicationBootstrap {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(SettlementWorker) private readonly worker: SettlementWorker,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    // Reports come every few seconds, so a failure is repeated soon.
    this.status.onReport((report) => {
      faultPoint('settler.deadline.before-store');
      closeAtDeadline(this.prisma, report.tip.medianTimePast).then(
        (closed) => {
          for (const channelId of closed) this.logger.info({ channelId, reason: 'deadline' }, 'channel closed');
          if (closed.length === 0) return;
          faultPoint('settler.deadline.after-store');
          this.worker.kick();
        },
        (failure: unknown) => this.logger.error({ failure: String(failure) }, 'deadlines can not be checked'),
      );
    });
  }
}

/** Moves every open channel at or past its deadline to closing, with its story and word to its node. Returns their ids. */
export async function closeAtDeadline(database: Database, medianTimePast: number): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    WITH due AS MATERIALIZED (
      SELECT "id" FROM "channel"."channel"
      WHERE "deadlineMtp" <= ${medianTimePast} AND "state" IN ('funding-seen', 'funded')
      ORDER BY "id" FOR UPDATE
    ), moved AS (
      UPDATE "channel"."channel" c SET
        "state" = 'closing', "stateReason" = 'deadline', "closeReason" = 'deadline', "stateEnteredAt" = now(),
        "version" = c."version" + 1, "updatedAt" = now(),
        "nextActionAt" = now() + make_interval(secs => ${AWAITED_PAYMENT_SECONDS}::float8),
        "verdict" = jsonb_build_object(
          'channelId', c."id", 'version', c."version" + 1, 'kind', 'refuse', 'allowanceBytes', 0, 'code', 'deadline',
          'detail', '', 'kMin', coalesce(c."kMin", 0), 'kCap', coalesce(c."kCap", 0), 'deadlineMtp', c."deadlineMtp")
      FROM due WHERE c."id" = due."id" AND c."state" IN ('funding-seen', 'funded')
      RETURNING c.*
    ), story AS (
      INSERT INTO "channel"."channel_event" ("channelId", "version", "state", "reason", "data")
      SELECT "id", "version", "state", "stateReason",
        jsonb_build_object('k', "k"::text, 'deadlineMtp', "deadlineMtp", 'medianTimePast', ${medianTimePast}::int)
      FROM moved
    ), told AS (
      INSERT INTO "channel"."outbox" ("subject", "payload")
      SELECT 'channel.verdict.' || "nodeId", "verdict" FROM moved
    )
    SELECT "id" FROM moved`;
  return rows.map(({ id }) => id);
}
