import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus, channelQuote } from '@seedfleet/bus';
import { settlementFeeSat, type Policy } from '@seedfleet/policy';
import { ChainStatus, feeEstimates } from '../chain/chain-status.js';
import { POLICY } from '../tokens.js';

const EVERY_MS = 5_000;

/** Tells nodes what a settlement costs now: every 5 s, and with each report of the chain. */
@Injectable()
export class QuotePublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(POLICY) private readonly policy: Policy,
  ) {}

  onApplicationBootstrap(): void {
    this.status.onReport(() => this.publish());
    this.timer = setInterval(() => this.publish(), EVERY_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Without a recent report there is no quote: nodes keep theirs until it is too old. */
  private publish(): void {
    const report = this.status.current();
    if (report === null) return;
    this.bus.publish(channelQuote, [], {
      settlementFeeSat: settlementFeeSat(feeEstimates(report), this.policy),
      draining: false,
      observedAt: report.observedAt,
    });
  }
}
