import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cpuSeconds, peakMemoryBytes } from '../machine/process-usage.js';

const LEECHER = fileURLToPath(new URL('../../../../apps/leecher/dist/main.js', import.meta.url));
const SAMPLE_MS = 25;

/** What one run of the leecher took. Times are from the first piece on: before it lie wallet, join and contract. */
export interface LeecherRun {
  readonly seconds: number;
  readonly pieces: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface StartedLeecher {
  /** Rejects when it did not get everything. */
  readonly done: Promise<LeecherRun>;
  /** Where it streams, for `stream`. */
  readonly url: Promise<string>;
  interrupt(): void;
}

/** Starts the leecher as people have it, a process, and watches it. `profileDir` takes a processor profile of it. */
export function startLeecher(words: readonly string[], folder: string, profileDir?: string): StartedLeecher {
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir];
  const child = spawn(process.execPath, [...profiling, LEECHER, ...words, '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], HOME: folder },
  });
  const pid = child.pid ?? 0;
  let begun: { readonly atMs: number; readonly cpu: number } | undefined;
  let pieces = 0;
  let cpu = 0;
  let memory = 0;
  const sample = (): void => {
    // The last figures of a process are gone with it.
    cpu = cpuSeconds(pid) || cpu;
    memory = Math.max(memory, peakMemoryBytes(pid) || 0);
  };
  const sampling = setInterval(sample, SAMPLE_MS);
  let foundUrl: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => (foundUrl = resolve));
  const done = new Promise<LeecherRun>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as { event: string; message?: string; url?: string };
      if (event.event === 'streaming') foundUrl(event.url ?? '');
      if (event.event === 'piece') {
        if (begun === undefined) {
          sample();
          begun = { atMs: performance.now(), cpu };
        } else pieces += 1;
      }
      if (event.event === 'error') reject(new Error(event.message));
      if (event.event !== 'done' || begun === undefined) return;
      sample();
      const seconds = (performance.now() - begun.atMs) / 1_000;
      resolve({ seconds, pieces, cpuSeconds: cpu - begun.cpu, peakMemoryBytes: memory });
    });
    child.once('exit', (code) => {
      clearInterval(sampling);
      reject(new Error(`the leecher ended with exit code ${code}`));
    });
  });
  done.catch(() => undefined);
  return { done, url, interrupt: () => child.kill('SIGINT') };
}
