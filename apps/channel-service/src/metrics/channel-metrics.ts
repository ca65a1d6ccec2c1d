import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { CHANNEL_STATES } from '@seedfleet/channel-lifecycle';
import { ChainStatus } from '../chain/chain-status.js';
import type { Database } from '../channels/database.js';
import { DATABASE } from '../tokens.js';

const EVERY_MS = 10_000;
/** Final channels older than this are not counted: the gauge shows what is going on, reports show the past. */
const RECENT_DAYS = 7;

export interface ChannelFigures {
  readonly states: ReadonlyMap<string, number>;
  readonly oldestSettlementSeconds: number;
  readonly overdueSeconds: number;
  /** Earliest deadline of a channel that is owed something and whose settlement is not mined; null: there is none. */
  readonly earliestDeadlineMtp: number | null;
  readonly outboxBacklog: number;
  readonly quarantinedNodes: number;
}

/** Figures about all channels, read from Postgres every so often. */
@Injectable()
export class ChannelMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly states: Gauge<'state'>;
  private readonly settlementAge: Gauge;
  private readonly overdue: Gauge;
  private readonly deadlineMargin: Gauge;
  private readonly backlog: Gauge;
  private readonly quarantined: Gauge;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainStatus) private readonly chain: ChainStatus,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    const registers = [registry];
    this.states = new Gauge({
      name: 'seedfleet_channels',
      help: 'Channels by state; final ones of the last seven days only',
      labelNames: ['state'],
      registers,
    });
    this.settlementAge = new Gauge({
      name: 'seedfleet_oldest_settlement_age_seconds',
      help: 'Age of the oldest channel that is closed and not yet mined',
      registers,
    });
    this.overdue = new Gauge({
      name: 'seedfleet_channel_overdue_seconds',
      help: 'How late the most overdue next action of a channel is',
      registers,
    });
    this.deadlineMargin = new Gauge({
      name: 'seedfleet_deadline_margin_seconds',
      help: 'Median time until the earliest deadline of an owed channel whose settlement is not mined; below 0 the margin is in use',
      registers,
    });
    this.backlog = new Gauge({
      name: 'seedfleet_outbox_backlog',
      help: 'Messages stored and not yet sent',
      registers,
    });
    this.quarantined = new Gauge({
      name: 'seedfleet_quarantined_nodes',
      help: 'Nodes for which nothing is opened until a person releases them',
      registers,
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timer = setInterval(() => void this.refresh(), EVERY_MS);
    await this.refresh();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    try {
      const figures = await readFigures(this.prisma);
      for (const state of CHANNEL_STATES) this.states.set({ state }, figures.states.get(state) ?? 0);
      this.settlementAge.set(figures.oldestSettlementSeconds);
      this.overdue.set(figures.overdueSeconds);
      this.showMargin(figures.earliestDeadlineMtp);
      this.backlog.set(figures.outboxBacklog);
      this.quarantined.set(figures.quarantinedNodes);
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'figures of channels can not be read');
    }
  }

  /** Shows nothing where nothing is owed, or where nobody knows the time of the chain: another alert tells of that. */
  private showMargin(earliestDeadlineMtp: number | null): void {
    const report = this.chain.current();
    if (earliestDeadlineMtp === null || report === null) this.deadlineMargin.remove();
    else this.deadlineMargin.set(earliestDeadlineMtp - report.tip.medianTimePast);
  }
}

interface FigureRow {
  readonly age: number;
  readonly overdue: number;
  readonly deadline: number | null;
  readonly backlog: bigint;
  readonly quarantined: bigint;
}

export async function readFigures(database: Database): Promise<ChannelFigures> {
  const states = await database.$queryRaw<{ state: string; count: bigint }[]>`
    SELECT "state", count(*) AS "count" FROM "channel"."channel"
    WHERE "nextActionAt" IS NOT NULL OR "createdAt" > now() - make_interval(days => ${RECENT_DAYS}::int)
    GROUP BY "state"`;
  const rows = await database.$queryRaw<FigureRow[]>`
    SELECT
      (SELECT coalesce(extract(epoch FROM now() - min("stateEnteredAt")), 0)::float8 FROM "channel"."channel"
        WHERE "state" IN ('closing', 'settling', 'settle-rejected', 'refund-seen')) AS "age",
      (SELECT coalesce(extract(epoch FROM now() - min("nextActionAt")), 0)::float8 FROM "channel"."channel"
        WHERE "nextActionAt" < now()) AS "overdue",
      (SELECT min("deadlineMtp") FROM "channel"."channel"
        WHERE "nextActionAt" IS NOT NULL AND "k" > 0 AND "settlementHeight" IS NULL) AS "deadline",
      (SELECT count(*) FROM "channel"."outbox" WHERE "sentAt" IS NULL) AS "backlog",
      (SELECT count(*) FROM "channel"."quarantined_node") AS "quarantined"`;
  const row = rows[0];
  return {
    states: new Map(states.map(({ state, count }) => [state, Number(count)])),
    oldestSettlementSeconds: row?.age ?? 0,
    overdueSeconds: row?.overdue ?? 0,
    earliestDeadlineMtp: row?.deadline ?? null,
    outboxBacklog: Number(row?.backlog ?? 0n),
    quarantinedNodes: Number(row?.quarantined ?? 0n),
  };
}
