import type { PrismaClient } from '@seedfleet/persistence';
import type { Logger } from '@seedfleet/service-kit';
import type { ChannelRow } from './channel-row.js';
import { claimDue } from './channel-repository.js';
import type { WorkFailures } from './work-failures.js';

/** Rows claimed per statement, and worked on at once. */
const BATCH = 16;

/**
 * Works on the channels of some states whose time has come: at once when kicked, and by looking every so often, so that
 * nothing depends on a kick.
 */
export class DueWorker {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private failing = false;
  private stopped = false;

  constructor(
    private readonly prisma: PrismaClient,
    private readonly states: readonly string[],
    private readonly pollMs: number,
    private readonly work: (row: ChannelRow) => Promise<void>,
    private readonly failures: WorkFailures,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.kick(), this.pollMs);
    this.kick();
  }

  /** Something may be due. */
  kick(): void {
    if (this.stopped) return;
    this.again = true;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      try {
        const rows = await claimDue(this.prisma, this.states, BATCH);
        await Promise.all(rows.map((row) => this.workOn(row)));
        if (rows.length > 0) this.again = true;
        this.failing = false;
      } catch (failure) {
        // One line per outage; the next look is never far.
        if (!this.failing) this.logger.error({ failure: String(failure) }, 'due channels can not be read');
        this.failing = true;
      }
    }
  }

  /** A failure leaves the claim standing: the channel is due again when that ends. */
  private async workOn(row: ChannelRow): Promise<void> {
    try {
      await this.work(row);
    } catch (failure) {
      const { id: channelId, state, infoHash } = row;
      this.failures.count(state);
      this.logger.error({ channelId, state, infoHash, failure: String(failure) }, 'work on a channel failed');
    }
  }
}
