import { availableParallelism, cpus, loadavg } from 'node:os';

/** The machine, and how busy it is with other things: figures of a busy machine say little. */
export function machineText(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const load = loadavg()[0]?.toFixed(1);
  return `${availableParallelism()} cores (${model}), Node ${process.version}, load average ${load} before the run`;
}
