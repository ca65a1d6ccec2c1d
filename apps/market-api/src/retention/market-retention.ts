import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PrismaClient, Retention } from '@seedfleet/persistence';
import { LOGGER, Registry, retentionMetrics, type Logger } from '@seedfleet/service-kit';
import { MARKET_RULES } from './rules.js';

/** Removes what is past its time. */
@Injectable()
export class MarketRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly retention: Retention;

  constructor(prisma: PrismaClient, @Inject(LOGGER) logger: Logger, @Inject(Registry) registry: Registry) {
    const metrics = retentionMetrics(registry);
    this.retention = new Retention(prisma, {
      owner: 'market',
      rules: MARKET_RULES,
      onRemoved: (kind, rows) => metrics.rows.inc({ kind }, rows),
      onDone: () => metrics.doneAt.set(Date.now() / 1_000),
      onFailure: (kind, err) => logger.warn({ kind, err }, 'what is past its time stays'),
    });
  }

  onApplicationBootstrap(): void {
    this.retention.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.retention.stop();
  }
}
