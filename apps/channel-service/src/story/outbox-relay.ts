import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus } from '@seedfleet/bus';
import { PrismaClient, pruneOutbox, relayOutbox } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { DATABASE, POLICY } from '../tokens.js';

const EVERY_MS = 500;
const PRUNE_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Sends what was stored for others to know: at once when poked, and every half second for what other processes stored. */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  private timers: NodeJS.Timeout[] = [];
  private running: Promise<void> | undefined;
  private again = false;
  private failing = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(Bus) private readonly bus: Bus,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timers = [setInterval(() => this.poke(), EVERY_MS), setInterval(() => void this.prune(), PRUNE_EVERY_MS)];
  }

  async onApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.running;
  }

  /** There may be something to send. */
  poke(): void {
    this.again = true;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
  }

  private async run(): Promise<void> {
    try {
      while (this.again) {
        this.again = false;
        if (!this.bus.isConnected) return;
        const sent = await relayOutbox(this.prisma, 'channel', async ({ subject, payload }) => {
          faultPoint('channel.outbox.before-send');
          await this.bus.relay(subject, payload, false);
          faultPoint('channel.outbox.after-send');
        });
        if (sent > 0) this.again = true;
      }
      this.failing = false;
    } catch (failure) {
      // Nothing is lost: the rows stay unsent. One line per outage.
      if (!this.failing) this.logger.error({ failure: String(failure) }, 'verdicts wait in the outbox');
      this.failing = true;
    }
  }

  private async prune(): Promise<void> {
    try {
      await pruneOutbox(this.prisma, 'channel', Math.ceil(this.policy.retention.outboxMs / DAY_MS));
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'sent messages could not be pruned');
    }
  }
}
