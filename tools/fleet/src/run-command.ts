import { spawn } from 'node:child_process';

/** What a short command came to. */
export interface CommandResult {
  /** Null when it could not be run or was ended by a signal. */
  readonly exitCode: number | null;
  /** Both streams, in order of arrival, at most the last `MAX_OUTPUT_BYTES`. */
  readonly output: string;
}

const MAX_OUTPUT_BYTES = 64 * 1024;

/** Runs a quick question, such as a version, to its end; ends its whole group when the time is up. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs: number },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT_BYTES);
    };
    const child = spawn(command, args, {
      cwd: '/',
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const timer = setTimeout(() => {
      keep(Buffer.from(`\n(ended after ${options.timeoutMs} ms)\n`));
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, options.timeoutMs);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ exitCode: null, output: error.message });
    });
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output });
    });
  });
}

/** The little that a server needs of our environment; its own configuration is in files and arguments. */
export function plainEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
