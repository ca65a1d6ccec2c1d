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
  /** Run as this user; only root may ask. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** End it after this long. Default: never. */
  readonly timeoutMs?: number;
  /** Called with each line of its standard output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** What it came to. */
export interface OneShotResult {
  /** Null when it was ended by a signal or could not be run. */
  readonly exitCode: number | null;
  /** The last part of its standard error, and of why it was ended. */
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
      ...spec.owner,
    });
    child.on('error', (error) => resolve({ exitCode: null, errorOutput: error.message }));
    const { pid } = child;
    if (pid === undefined) return;
    const identity = { pid, startTicks: startTicksOf(pid) ?? '' };
    watchdog.guard({ ...identity, stopSignal: 'SIGTERM' });
    records.add(spec.name, identity);
    onPid(pid);
    const keepError = (text: string) => {
      errorOutput = (errorOutput + text).slice(-MAX_ERROR_CHARS);
    };
    const timer =
      spec.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            keepError(`\nended after ${spec.timeoutMs} ms\n`);
            signalGroup(pid, 'SIGKILL');
          }, spec.timeoutMs);
    createInterface({ input: child.stdout }).on('line', (line) => spec.onLine?.(line));
    child.stderr.on('data', (chunk: Buffer) => keepError(chunk.toString('utf8')));
    child.on('exit', () => {
      clearTimeout(timer);
      signalGroup(pid, 'SIGKILL'); // whatever it left in its group
      watchdog.release(pid);
      records.remove(pid);
    });
    child.on('close', (exitCode) => resolve({ exitCode, errorOutput }));
  });
}
