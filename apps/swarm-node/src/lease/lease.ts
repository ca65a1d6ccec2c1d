import type { Policy } from '@seedfleet/policy';

export type LeaseObstacle =
  /** The intake has not said for too long that it commits payments. */
  | 'watermark-stale'
  /** Nobody has reported the chain for too long: deadlines can't be kept. */
  | 'chain-report-stale'
  /** The broker has not acknowledged payments for too long. */
  | 'payments-unacknowledged';

/**
 * The node's right to send pieces (architecture, step 6). It lives by news: commit watermarks and chain reports, aged by
 * this machine's monotonic clock from their arrival, so that clocks need not agree.
 */
export class Lease {
  private readonly watermarkAtMs: (number | undefined)[];
  private chainAtMs: number | undefined;
  private mtp: number | undefined;

  constructor(
    private readonly policy: Policy,
    private readonly nowMs: () => number,
    partitions: number,
  ) {
    this.watermarkAtMs = Array<number | undefined>(partitions).fill(undefined);
  }

  onWatermark(partition: number): void {
    if (partition < this.watermarkAtMs.length) this.watermarkAtMs[partition] = this.nowMs();
  }

  /** @param medianTimePast of the tip, seconds. It may fall in a reorganisation. */
  onChainReport(medianTimePast: number): void {
    this.chainAtMs = this.nowMs();
    this.mtp = medianTimePast;
  }

  /** Median time past of the tip, seconds, once reported. */
  get medianTimePast(): number | undefined {
    return this.mtp;
  }

  /** Why no piece may leave, or undefined while it may. */
  obstacle(oldestUnacknowledgedMs: number): LeaseObstacle | undefined {
    const { maxWatermarkAgeMs, maxChainReportAgeMs } = this.policy.nodeLease;
    if (this.watermarkAtMs.some((at) => this.age(at) > maxWatermarkAgeMs)) return 'watermark-stale';
    if (this.age(this.chainAtMs) > maxChainReportAgeMs) return 'chain-report-stale';
    if (oldestUnacknowledgedMs > this.policy.timeouts.publishHoldMs) return 'payments-unacknowledged';
    return undefined;
  }

  private age(atMs: number | undefined): number {
    return atMs === undefined ? Infinity : this.nowMs() - atMs;
  }
}
