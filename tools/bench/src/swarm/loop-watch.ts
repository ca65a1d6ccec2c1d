/**
 * Loaded into the node beside the shipped program, which knows nothing of it. It collects garbage when it is asked to,
 * so that what the node holds can be told from what it has not thrown away yet; and it tells how late the event loop is,
 * and how much of that it spent waiting for a processor, which on a machine with two cores is others' doing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';
import vm from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** What the node's main thread was late by since the last time that it was asked. */
export interface LoopReport {
  /** Since when, ms. */
  readonly spanMs: number;
  readonly p99Ms: number;
  /** The same without the time in which the thread could have run and no processor was free. */
  readonly ownP99Ms: number;
  readonly ownWorstMs: number;
  /** Of the main thread. */
  readonly cpuMs: number;
  readonly waitedMs: number;
  /** Collections of garbage: all of them, and the longest. */
  readonly garbageMs: number;
  readonly worstGarbageMs: number;
}

/** Environment: where the report goes. */
export const LOOP_REPORT_ENV = 'BENCH_LOOP_REPORT';
/** As prom-client watches. */
const TIMER_MS = 10;
const MS_NS = 1e6;

interface Moment {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly waitedMs: number;
}

if (isMainThread && process.env[LOOP_REPORT_ENV] !== undefined) watch(process.env[LOOP_REPORT_ENV]);

function watch(file: string): void {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  let since = now();
  let last = since;
  let late: { readonly ms: number; readonly ownMs: number }[] = [];
  let garbage: number[] = [];
  new PerformanceObserver((list) => {
    garbage.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ entryTypes: ['gc'] });
  const tick = (): void => {
    const at = now();
    const ms = Math.max(0, at.atMs - last.atMs - TIMER_MS);
    late.push({ ms, ownMs: Math.max(0, ms - (at.waitedMs - last.waitedMs)) });
    last = at;
  };
  setInterval(tick, TIMER_MS).unref();
  process.on('SIGUSR2', () => {
    collect();
    collect();
  });
  process.on('SIGURG', () => {
    const report: LoopReport = {
      spanMs: last.atMs - since.atMs,
      p99Ms: quantile(late.map(({ ms }) => ms)),
      ownP99Ms: quantile(late.map(({ ownMs }) => ownMs)),
      ownWorstMs: Math.max(0, ...late.map(({ ownMs }) => ownMs)),
      cpuMs: last.cpuMs - since.cpuMs,
      waitedMs: last.waitedMs - since.waitedMs,
      garbageMs: garbage.reduce((sum, ms) => sum + ms, 0),
      worstGarbageMs: Math.max(0, ...garbage),
    };
    writeFileSync(file, JSON.stringify(report));
    since = last;
    late = [];
    garbage = [];
  });
}

/** The kernel's word on the main thread: time on a processor, and time ready to run without one; 0 where it says nothing. */
function now(): Moment {
  const [cpuNs = 0, waitedNs = 0] = schedule().split(' ').map(Number);
  return { atMs: performance.now(), cpuMs: cpuNs / MS_NS, waitedMs: waitedNs / MS_NS };
}

function schedule(): string {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
  } catch {
    return '0 0';
  }
}

function quantile(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length * 0.99)] ?? Number.NaN;
}
