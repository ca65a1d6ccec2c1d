import { policyWith } from '@seedfleet/policy';
import { describe, expect, it } from 'vitest';
import { Lease } from './lease.js';

describe('Lease', () => {
  it('begins without, holds while news is fresh, and ends with either clock', () => {
    let now = 0;
    const lease = new Lease(policyWith(), () => now, 2);
    expect(lease.obstacle(0)).toBe('watermark-stale');
    lease.onWatermark(0);
    expect(lease.obstacle(0)).toBe('watermark-stale');
    lease.onWatermark(1);
    expect(lease.obstacle(0)).toBe('chain-report-stale');
    lease.onChainReport(1_700_000_000);
    expect(lease.obstacle(0)).toBeUndefined();
    expect(lease.obstacle(10_001)).toBe('payments-unacknowledged');
    now = 30_001;
    lease.onWatermark(0);
    expect(lease.obstacle(0)).toBe('watermark-stale');
    lease.onWatermark(1);
    expect(lease.obstacle(0)).toBeUndefined();
    now = 600_001;
    lease.onWatermark(0);
    lease.onWatermark(1);
    expect(lease.obstacle(0)).toBe('chain-report-stale');
    lease.onChainReport(1_700_000_600);
    expect([lease.obstacle(0), lease.medianTimePast]).toEqual([undefined, 1_700_000_600]);
  });
});
