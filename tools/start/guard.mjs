// Runs commands so that none of them outlives this process, however it ends: for the time before the fleet's own
// supervisor exists. Plain JavaScript, needs nothing installed.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const WATCHDOG = fileURLToPath(new URL('./watchdog.mjs', import.meta.url));
const MAX_OUTPUT_CHARS = 256 * 1024;

/** A watchdog and the commands under it. Call `dismiss` when no more commands will be run. */
export function openGuard() {
  const token = randomBytes(12).toString('hex');
  const watchdog = spawn(process.execPath, [WATCHDOG], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.on('error', () => {});
  watchdog.stdin.on('error', () => {});
  watchdog.unref();
  watchdog.stdin.unref?.();
  watchdog.stdin.write(`${JSON.stringify({ token })}\n`);
  const running = new Set();

  return {
    /**
     * Runs a command to its end. Its output is kept, at most the last part, and returned with its exit code; null when
     * it could not be run or was ended by a signal.
     */
    run(command, args, { cwd, env = {} }) {
      return new Promise((resolve) => {
        let output = '';
        const keep = (chunk) => {
          output = (output + chunk).slice(-MAX_OUTPUT_CHARS);
        };
        // A group of its own, so that a terminal's Ctrl-C reaches this process alone.
        const child = spawn(command, args, {
          cwd,
          env: { ...process.env, ...env, SEEDFLEET_RUN: token },
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
        });
        running.add(child);
        child.stdout.on('data', keep);
        child.stderr.on('data', keep);
        child.on('error', (error) => {
          running.delete(child);
          resolve({ exitCode: null, output: error.message });
        });
        child.on('close', (exitCode) => {
          running.delete(child);
          resolve({ exitCode, output });
        });
      });
    },

    /** Ends every command at once. */
    endAll() {
      for (const { pid } of running) {
        try {
          process.kill(-pid, 'SIGKILL');
        } catch {
          // gone
        }
      }
    },

    dismiss() {
      watchdog.stdin.end(`${JSON.stringify({ farewell: true })}\n`);
    },
  };
}
