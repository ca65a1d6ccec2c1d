import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient, Retention } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { LOGGER, Registry, retentionMetrics, type Logger } from '@seedfleet/service-kit';
import type { Signer } from '../keys/signer.js';
import { DATABASE, POLICY, SIGNER } from '../tokens.js';
import { channelRules } from './rules.js';

/** Removes what is past its time, while the settler runs. */
@Injectable()
export class ChannelRetention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly retention: Retention;

  constructor(
    @Inject(DATABASE) prisma: PrismaClient,
    @Inject(POLICY) policy: Policy,
    @Inject(SIGNER) signer: Signer,
    @Inject(LOGGER) logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    const metrics = retentionMetrics(registry);
    this.retention = new Retention(prisma, {
      owner: 'channel',
      rules: channelRules(policy.retention, signer),
      onRemoved: (kind, rows) => metrics.rows.inc({ kind }, rows),
      onDone: () => metrics.doneAt.set(Date.now() / 1_000),
      onFailure: (kind, failure) => logger.warn({ kind, failure: String(failure) }, 'what is past its time stays'),
    });
  }

  onApplicationBootstrap(): void {
    this.retention.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.retention.stop();
  }
}
