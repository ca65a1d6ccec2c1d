/** A process that does nothing but wait: what its timers are late by is the machine's doing, not the node's. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type CanaryOrder = { readonly type: 'begin' } | { readonly type: 'tell' };

export interface CanaryReport {
  readonly type: 'delay';
  /** As prom-client tells it of a service: the timer's own 10 ms included. */
  readonly p99Ms: number;
}

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

process.on('message', (order: CanaryOrder) => {
  if (order.type === 'tell') process.send?.({ type: 'delay', p99Ms: delay.percentile(99) / 1e6 });
  delay.reset();
});
process.on('disconnect', () => process.exit());
