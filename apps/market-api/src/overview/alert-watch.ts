import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { isDatabaseAway } from '../http/database-away.js';
import { AlertBoard, type Alert } from './alert-board.js';

/** Soon enough for somebody who is woken by it. */
const LOOK_EVERY_MS = 5_000;
/** What is not found for this long is over: a fault that comes and goes is told once. */
const OVER_AFTER_S = 15;
/** Comparing the books waits until a service that was just started has other things done. */
const BOOKS_AFTER_MS = 600_000;

/**
 * Tells of each alert when it begins and when it ends, whether anybody looks at them or not: as events `alert.raised` and
 * `alert.cleared`, which the log of events takes to webhooks. One process does it at a time.
 */
@Injectable()
export class AlertWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly startedMs = Date.now();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;

  constructor(
    private readonly board: AlertBoard,
    private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.working;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.working = this.look().finally(() => this.schedule());
    }, LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    try {
      const { alerts, unknown } = await this.board.known(Date.now() - this.startedMs > BOOKS_AFTER_MS);
      await this.note(alerts, unknown);
      this.failing = false;
    } catch (failure) {
      if (!this.failing && !isDatabaseAway(failure)) this.logger.error({ err: failure }, 'alerts could not be noted');
      this.failing = true;
    }
  }

  /** What begins and what ends, with its record, in one statement. Of `unknown` ones nothing ends. */
  private async note(alerts: readonly Alert[], unknown: readonly string[]): Promise<void> {
    const found = alerts.map(({ code, subject, severity, title, count, since, detail }) => ({
      code,
      subject: subject ?? '',
      data: { code, subject, severity, title, count, since: since?.toISOString() ?? null, detail },
    }));
    await this.prisma.$transaction(async (tx) => {
      const lock = await tx.$queryRaw<{ got: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(hashtext('market.alert')) AS got`;
      if (lock[0]?.got !== true) return;
      await tx.$executeRaw`
        WITH found AS (
          SELECT DISTINCT ON (code, subject) code, subject, data
          FROM jsonb_to_recordset(${JSON.stringify(found)}::jsonb) AS x(code text, subject text, data jsonb)
        ), noted AS (
          INSERT INTO market.alert AS a (code, subject, data) SELECT code, subject, data FROM found
          ON CONFLICT (code, subject) DO UPDATE SET "seenAt" = now(), data = excluded.data
          RETURNING a.code, a.data, a."raisedAt" = now() AS begins
        ), over AS (
          DELETE FROM market.alert a
          WHERE a."seenAt" < now() - ${OVER_AFTER_S} * interval '1 second' AND a.code <> ALL(${[...unknown]}::text[])
            AND NOT EXISTS (SELECT FROM found f WHERE f.code = a.code AND f.subject = a.subject)
          RETURNING a.code, a.data
        )
        INSERT INTO market.alert_change (kind, code, data)
        SELECT 'alert.raised', code, data FROM noted WHERE begins
        UNION ALL SELECT 'alert.cleared', code, data FROM over`;
    });
  }
}
