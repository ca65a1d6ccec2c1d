import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus, PAYMENT_PARTITIONS, paymentStream, streamHead } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import { DATABASE } from '../tokens.js';
import { PaymentMetrics } from './payment-metrics.js';
import { readWatermark } from './payment-repository.js';

const EVERY_MS = 10_000;

/** Measures how far Postgres is behind the payment stream, and how full the stream is. */
@Injectable()
export class StreamWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(PaymentMetrics) private readonly metrics: PaymentMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.metrics.streamLimit.set(paymentStream.maxBytes);
    this.timer = setInterval(() => void this.look(), EVERY_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** A look that fails leaves the former figures: the watermark's age and the service's health tell of the cause. */
  private async look(): Promise<void> {
    try {
      const head = await streamHead(this.bus, paymentStream);
      this.metrics.streamBytes.set(head.bytes);
      let committed = 0n;
      for (let partition = 0; partition < PAYMENT_PARTITIONS; partition += 1) {
        const mark = await readWatermark(this.prisma, partition);
        // A mark of a former stream says nothing about this one.
        if (mark?.streamEpoch === head.epoch && mark.committedSeq > committed) committed = mark.committedSeq;
      }
      this.metrics.streamLag.set(Math.max(0, head.lastSeq - Number(committed)));
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'the payment stream can not be measured');
    }
  }
}
