import { parseArgs } from 'node:util';
import { FleetError } from './errors.js';
import { startServers } from './servers.js';

/**
 * `servers.mjs`: the servers alone, for work on a service. With `--attached` they also end when standard input closes:
 * a pipe closes whichever way the program at its other end dies.
 */
export async function runServersCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { state: { type: 'string', default: '.seedfleet' }, attached: { type: 'boolean', default: false } },
  });
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    if (values.attached) process.stdin.once('end', () => resolve()).resume();
  });
  try {
    const servers = await startServers({
      stateDir: values.state,
      onEvent: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
      conversation: {
        allow: (plan) => {
          process.stderr.write(`${plan}\n`);
          return Promise.resolve(true);
        },
        say: (line) => void process.stderr.write(`${line}\n`),
      },
    });
    const { connections, state, supervisor } = servers;
    process.stdout.write(`${JSON.stringify({ id: state.id, ...connections, processes: supervisor.summary() })}\n`);
    await interrupted;
    await servers.stop();
  } catch (thrown) {
    if (!(thrown instanceof FleetError)) throw thrown;
    process.stderr.write(`${thrown.what}: ${thrown.why}\nTo do: ${thrown.todo}\n`);
    process.exitCode = 1;
  } finally {
    // An open pipe would keep this process alive.
    process.stdin.destroy();
  }
}
