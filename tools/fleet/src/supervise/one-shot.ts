import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { signalGroup, startTicksOf } from './process-identity.js';
import type { Surroundings } from './supervised-process.js';

/** A command that runs to its end, such as a purchase. */
export interface OneShotSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Called with each line of its standard output as it comes. */
  readonly onLine: (line: string) => void;
}

/** What it came to. */
export interface OneShotResult {
  /** Null when it was ended by a signal or could not be run. */
  readonly exitCode: number | null;
  /** The last part of its standard error. */
  readonly errorOutput: string;
}

const MAX_ERROR_CHARS = 16 * 1024;

/** Runs a command under the fleet's watchdog. `onPid` is told its pid, so that the caller can end it. */
export function runOneShot(
  spec: OneShotSpec,
  { watchdog, records, token }: Surroundings,
  onPid: (pid: number) => void,
): Promise<OneShotResult> {
  return new Promise((resolve) => {
    let errorOutput = '';
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: { ...spec.env, SEEDFLEET_RUN: token },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    child.on('error', (error) => resolve({ exitCode: null, errorOutput: error.message }));
    const { pid } = child;
    if (pid === undefined) return;
    const identity = { pid, startTicks: startTicksOf(pid) ?? '' };
    watchdog.guard({ ...identity, stopSignal: 'SIGTERM' });
    records.add(spec.name, identity);
    onPid(pid);
    createInterface({ input: child.stdout }).on('line', spec.onLine);
    child.stderr.on('data', (chunk: Buffer) => {
      errorOutput = (errorOutput + chunk.toString('utf8')).slice(-MAX_ERROR_CHARS);
    });
    child.on('exit', () => {
      signalGroup(pid, 'SIGKILL'); // whatever it left in its group
      watchdog.release(pid);
      records.remove(pid);
    });
    child.on('close', (exitCode) => resolve({ exitCode, errorOutput }));
  });
}
