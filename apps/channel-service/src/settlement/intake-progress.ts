import { Inject, Injectable } from '@nestjs/common';
import { Bus, paymentPartition, paymentStream, streamHead, type StreamHead } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { readWatermark } from '../payments/payment-repository.js';
import { DATABASE } from '../tokens.js';

/**
 * How long a closed channel waits for the intake to catch up, from its closing. An intake that is down is paged for
 * within a minute; waiting on would eat the settlement margin (90 minutes), and with it the payments that are stored.
 */
export const LONGEST_WAIT_MS = 15 * 60_000;

/** Channels that wait at once; beyond it the oldest is looked at anew. */
const MAX_WAITING = 10_000;

/**
 * Whether everything that the broker had acknowledged when a channel closed is in Postgres. Before that its k may not be
 * frozen: nodes were told that those payments are safe. The payment stream has one partition, so its end is the
 * partition's.
 */
@Injectable()
export class IntakeProgress {
  /** Where the stream stood when a channel was first asked about. */
  private readonly heads = new Map<string, StreamHead>();

  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param closedForMs how long the channel has been closed; past `LONGEST_WAIT_MS` the answer is always true. */
  async isCaughtUp(channelId: string, closedForMs: number): Promise<boolean> {
    if (closedForMs > LONGEST_WAIT_MS) {
      this.heads.delete(channelId);
      this.logger.error({ channelId, closedForMs }, 'k is frozen although the intake is behind');
      return true;
    }
    const head = this.heads.get(channelId) ?? (await this.lookAtHead());
    if (head === undefined) return false;
    const mark = await readWatermark(this.prisma, paymentPartition(channelId));
    // A stream made anew: what the former one held is gone, or with the nodes, who publish it again.
    const sameStream = mark?.streamEpoch === head.epoch;
    if (head.lastSeq === 0 || (sameStream && mark.committedSeq >= BigInt(head.lastSeq))) {
      this.heads.delete(channelId);
      return true;
    }
    this.remember(channelId, head);
    return false;
  }

  private async lookAtHead(): Promise<StreamHead | undefined> {
    try {
      return await streamHead(this.bus, paymentStream);
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'the payment stream does not answer; channels wait to be frozen');
      return undefined;
    }
  }

  private remember(channelId: string, head: StreamHead): void {
    this.heads.set(channelId, head);
    if (this.heads.size <= MAX_WAITING) return;
    for (const oldest of this.heads.keys()) {
      this.heads.delete(oldest);
      return;
    }
  }
}
