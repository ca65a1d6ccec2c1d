import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningFleet } from '@seedfleet/fleet';
import { LOOP_REPORT_ENV, type LoopReport } from './loop-watch.js';

/** prom-client watches the event loop by a timer of 10 ms, and what it tells includes these. */
export const LOOP_TIMER_MS = 10;
const COLLECT_MS = 600;
const REPORT_MS = 10_000;
const POLL_MS = 50;

/** Environment of a node that is watched from inside by `loop-watch`; the program is the shipped one. */
export function watchedEnv(reportFile: string): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import=${new URL('./loop-watch.js', import.meta.url).href}`,
    [LOOP_REPORT_ENV]: reportFile,
  };
}

/** What the node's event loop was late by since the last time. Linux only. */
export async function loopReport(fleet: RunningFleet, name: string, reportFile: string): Promise<LoopReport> {
  rmSync(reportFile, { force: true });
  process.kill(whereabouts(fleet, name).pid, 'SIGURG');
  const deadline = performance.now() + REPORT_MS;
  for (;;) {
    await sleep(POLL_MS);
    try {
      return JSON.parse(readFileSync(reportFile, 'utf8')) as LoopReport;
    } catch (missing) {
      if (performance.now() > deadline) throw missing;
    }
  }
}

/** What a node holds and does. */
export interface NodeFigures {
  /** Used heap and what lies outside of it, such as buffers. */
  readonly heldBytes: number;
  readonly residentBytes: number;
  /** Since the last look. */
  readonly loopDelayP99Ms: number;
  readonly sample: (name: string) => number;
}

/** Pid and port of a service now. */
export function whereabouts(
  { state }: RunningFleet,
  name: string,
): { readonly pid: number; readonly httpPort: number } {
  return JSON.parse(readFileSync(state.file('services', `${name}.ready.json`), 'utf8')) as {
    pid: number;
    httpPort: number;
  };
}

/** Reads a node's `/metrics`. */
export async function figures(fleet: RunningFleet, name: string): Promise<NodeFigures> {
  const { httpPort } = whereabouts(fleet, name);
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  const sample = (metric: string): number => {
    const escaped = metric.replace(/[{}"]/g, '\\$&').replace('\\}', '[^}]*\\}');
    return Number(new RegExp(`^${escaped}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  };
  return {
    heldBytes: sample('nodejs_heap_size_used_bytes') + sample('nodejs_external_memory_bytes'),
    residentBytes: sample('process_resident_memory_bytes'),
    loopDelayP99Ms: Math.max(0, sample('nodejs_eventloop_lag_p99_seconds') * 1000 - LOOP_TIMER_MS),
    sample,
  };
}

/** The same after a collection of garbage. */
export async function collectedFigures(fleet: RunningFleet, name: string): Promise<NodeFigures> {
  for (let round = 0; round < 2; round++) {
    process.kill(whereabouts(fleet, name).pid, 'SIGUSR2');
    await sleep(COLLECT_MS);
  }
  return figures(fleet, name);
}
