import type { Bus } from '@seedfleet/bus';
import { Registry, type Logger } from '@seedfleet/service-kit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { STALE_AFTER_MS, STATUS_EVERY_MS } from '../defaults.js';
import type { FeeWatch } from '../fees/fee-rates.js';
import { chainMetrics } from '../metrics.js';
import { ChainStatus } from './chain-status.js';

const RATES = { threeBlocksSatPerKvb: 1n, sixBlocksSatPerKvb: 1n, mempoolMinimumSatPerKvb: 1n };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('says nothing once the node has not been read for too long, so that nobody takes an old tip for a fresh one', async () => {
  let published = 0;
  let maySpeak = true;
  const bus = { publish: () => void (published += 1) } as unknown as Bus;
  const fees = { rates: RATES, refresh: () => Promise.resolve({ ok: true, value: RATES }) } as unknown as FeeWatch;
  const status = new ChainStatus(bus, fees, chainMetrics(new Registry()), {} as Logger, () => maySpeak);
  const tip = { height: 7, hash: 'ab'.repeat(32), medianTimePast: 1_700_000_000 };
  await status.start();
  expect([status.current(), published]).toEqual([undefined, 0]);
  status.observed(tip, true);
  await vi.advanceTimersByTimeAsync(STALE_AFTER_MS);
  const fresh = published;
  expect(status.current()?.tip).toEqual(tip);
  await vi.advanceTimersByTimeAsync(20 * STATUS_EVERY_MS);
  expect([status.current(), published]).toEqual([undefined, fresh]);
  status.observed(tip, false);
  await vi.advanceTimersByTimeAsync(STATUS_EVERY_MS);
  expect(published).toBe(fresh + 1);
  // Another process may have taken over.
  maySpeak = false;
  await vi.advanceTimersByTimeAsync(STATUS_EVERY_MS);
  expect([status.current(), published]).toEqual([undefined, fresh + 1]);
  status.stop();
});
