import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningFleet } from '@seedfleet/fleet';

/** prom-client watches the event loop by a timer of 10 ms, and what it tells includes these. */
export const LOOP_TIMER_MS = 10;
const COLLECT_MS = 600;

/**
 * Makes a process collect its garbage when it is asked by SIGUSR2, so that what it holds can be told from what it has
 * not thrown away yet. It is given to the node as an environment; the program is the shipped one.
 */
export const COLLECTING_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    "import v8 from 'node:v8'; import vm from 'node:vm'; v8.setFlagsFromString('--expose-gc');" +
      "const collect = vm.runInNewContext('gc'); process.on('SIGUSR2', () => { collect(); collect(); });",
  )}`,
};

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
