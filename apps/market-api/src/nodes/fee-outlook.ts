import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Bus, chainStatus, channelQuote } from '@seedfleet/bus';
import type { FeeOutlook } from '../offers/sale-verdict.js';

/** News older than this is not used: the default estimate is nearer to the truth than an old one. */
const STALE_MS = 5 * 60_000;

/** What fees are now, as channel-service quotes them and chain-watcher estimates them. */
@Injectable()
export class FeeOutlookBoard implements OnModuleInit, OnModuleDestroy {
  private settlementFeeSat: { value: bigint; atMs: number } | undefined;
  private estimates: { value: FeeOutlook['estimates']; atMs: number } | undefined;
  private subscriptions: { unsubscribe(): void }[] = [];

  constructor(private readonly bus: Bus) {}

  onModuleInit(): void {
    this.subscriptions = [
      this.bus.subscribe(channelQuote, [], (quote) => {
        this.settlementFeeSat = { value: quote.settlementFeeSat, atMs: Date.now() };
      }),
      this.bus.subscribe(chainStatus, [], ({ feeRates }) => {
        const value = {
          threeBlockSatPerKvb: feeRates.threeBlocksSatPerKvb,
          sixBlockSatPerKvb: feeRates.sixBlocksSatPerKvb,
          median24hSatPerKvb: feeRates.sixBlocksDayMedianSatPerKvb,
          quiet24hSatPerKvb: feeRates.sixBlocksDayQuarterSatPerKvb,
        };
        this.estimates = { value, atMs: Date.now() };
      }),
    ];
  }

  onModuleDestroy(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  now(): FeeOutlook {
    const freshAfterMs = Date.now() - STALE_MS;
    const fee = this.settlementFeeSat;
    const estimates = this.estimates;
    return {
      ...(fee !== undefined && fee.atMs > freshAfterMs ? { settlementFeeSat: fee.value } : {}),
      estimates: estimates !== undefined && estimates.atMs > freshAfterMs ? estimates.value : {},
    };
  }
}
