import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What the system says about a process; only Linux is asked. */

/** Kernel clock ticks per second, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor seconds that a process has used, user and system, all threads; NaN where it can't be told. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  if (fields === undefined) return Number.NaN;
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/**
 * As `cpuSeconds`, with everything that the process has started: a database works in many processes. Those that have ended
 * count on with whoever waited for them, so the sum never falls.
 */
export function treeCpuSeconds(pid: number): number {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number(statFields(Number(entry))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const sum = (at: number): number =>
    (children.get(at) ?? []).reduce((total, child) => total + sum(child), withEndedSeconds(at));
  return sum(pid);
}

/** Processor seconds of a process and of its children that have ended; 0 where it has gone itself. */
function withEndedSeconds(pid: number): number {
  const ticks = (statFields(pid) ?? []).slice(11, 15);
  return ticks.reduce((total, field) => total + Number(field), 0) / TICKS_PER_SECOND;
}

/** Forgets the peak memory of a process, so that the next `peakMemoryBytes` tells of what follows. */
export function resetPeakMemory(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not ours to reset: the peak since its start is told then.
  }
}

/** Largest resident memory, bytes; NaN where it can't be told. */
export function peakMemoryBytes(pid: number): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** The fields of `/proc/PID/stat` from the state on, which follows the name in parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
