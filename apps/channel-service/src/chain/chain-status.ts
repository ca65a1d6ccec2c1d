import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Bus, chainGetStatus, chainStatus } from '@seedfleet/bus';
import type { FeeEstimates } from '@seedfleet/policy';
import type { z } from 'zod';

export type ChainReport = z.output<typeof chainStatus.payload>;

/** Older reports are no ground for decisions about money. */
const MAX_AGE_MS = 60_000;

/** The newest report of chain-watcher: tip, median time past, fee rates. */
@Injectable()
export class ChainStatus implements OnApplicationBootstrap, OnApplicationShutdown {
  private latest: { report: ChainReport; receivedAt: number } | null = null;
  private readonly listeners: ((report: ChainReport) => void)[] = [];
  private subscription: { unsubscribe(): void } | undefined;

  constructor(@Inject(Bus) private readonly bus: Bus) {}

  async onApplicationBootstrap(): Promise<void> {
    this.subscription = this.bus.subscribe(chainStatus, [], (report) => this.take(report));
    const reply = await this.bus.request(chainGetStatus, {}, 2_000);
    if (reply.ok) this.take(reply.value);
  }

  onApplicationShutdown(): void {
    this.subscription?.unsubscribe();
  }

  /** Called with each report. */
  onReport(listener: (report: ChainReport) => void): void {
    this.listeners.push(listener);
    if (this.latest !== null) listener(this.latest.report);
  }

  /** Null when there is none, or none recent enough. */
  current(): ChainReport | null {
    if (this.latest === null || Date.now() - this.latest.receivedAt > MAX_AGE_MS) return null;
    return this.latest.report;
  }

  private take(report: ChainReport): void {
    if (this.latest !== null && report.observedAt < this.latest.report.observedAt) return;
    this.latest = { report, receivedAt: Date.now() };
    for (const listener of this.listeners) listener(report);
  }
}

/** A report's fee rates as policy wants them. */
export function feeEstimates(report: ChainReport): FeeEstimates {
  return {
    threeBlockSatPerKvb: report.feeRates.threeBlocksSatPerKvb,
    sixBlockSatPerKvb: report.feeRates.sixBlocksSatPerKvb,
    median24hSatPerKvb: report.feeRates.sixBlocksDayMedianSatPerKvb,
    quiet24hSatPerKvb: report.feeRates.sixBlocksDayQuarterSatPerKvb,
  };
}
