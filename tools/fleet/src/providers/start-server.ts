import { FleetError } from '../errors.js';
import type { StartOutcome } from '../supervise/supervised-process.js';

/** How often another port is tried when a server finds its own taken. */
const PORT_ATTEMPTS = 5;
const PORT_TAKEN =
  /address already in use|is in use|(?:address|port)-in-use|EADDRINUSE|unable to bind|could not bind|Cannot bind|Failed to bind/i;

/**
 * Starts a server on a port that was free a moment ago, and on another one when somebody was faster.
 * `attempt` starts it on fresh ports and returns its connection with the outcome.
 */
export async function startOnFreePorts<C>(
  title: string,
  log: string,
  attempt: () => Promise<{ readonly outcome: StartOutcome; readonly connection: C }>,
): Promise<C> {
  for (let count = 1; ; count += 1) {
    const { outcome, connection } = await attempt();
    if (outcome.ok) return connection;
    if (outcome.code === 'stopped') throw interrupted(title);
    if (outcome.code === 'exited' && count < PORT_ATTEMPTS && PORT_TAKEN.test(outcome.output)) continue;
    throw startFailure(title, log, outcome);
  }
}

/** A failed start as a message for people. */
export function startFailure(title: string, log: string, outcome: StartOutcome & { ok: false }): FleetError {
  if (outcome.code === 'stopped') return interrupted(title);
  const said = outcome.output === '' ? '' : `; its last words:\n${readable(outcome.output)}`;
  const why = {
    exited: () => `it ended with ${outcome.code === 'exited' ? outcome.exit : ''}${said}`,
    'not-ready': () => `it did not answer in time${said}`,
    'not-run': () => outcome.output,
  }[outcome.code]();
  return new FleetError(
    'process-failed',
    `${title} did not start`,
    why,
    `${adviceFor(outcome.output)}; full log: ${log}`,
  );
}

/** Our services log JSON lines: of those, what they say. */
function readable(output: string): string {
  return output
    .split('\n')
    .map((line) => {
      try {
        const { msg, level } = JSON.parse(line) as { msg?: unknown; level?: unknown };
        return typeof msg === 'string' ? `${String(level)}: ${msg}` : line;
      } catch {
        return line;
      }
    })
    .join('\n');
}

function interrupted(title: string): FleetError {
  return new FleetError('interrupted', `${title} was not started`, 'the fleet is stopping', 'start it again');
}

/** What usually helps, by what the process said last. */
export function adviceFor(output: string): string {
  if (/no space left|disk full|ENOSPC|Disk space is too low|insufficient storage/i.test(output))
    return 'free some disk space and start again';
  if (/permission denied|EACCES/i.test(output)) return 'check the owner and mode of the state folder';
  if (PORT_TAKEN.test(output)) return 'a port is taken: end its owner or choose another port';
  return 'see its log';
}
