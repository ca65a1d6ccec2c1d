import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus } from '@seedfleet/bus';
import { PrismaClient, relayOutbox } from '@seedfleet/persistence';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { DATABASE } from '../tokens.js';

const EVERY_MS = 500;

/** Sends what was stored for others to know: at once when poked, and every half second for what other processes stored. */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private failing = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(Bus) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.poke(), EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
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
}
