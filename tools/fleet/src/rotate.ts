import { FleetError } from './errors.js';
import { reloadUsers } from './providers/nats.js';
import { credentialNames, renewPassword, writeCredential } from './providers/nats-users.js';
import { readRun } from './state/run-file.js';
import { StateDir } from './state/state-dir.js';

/**
 * Changes the password of one process of a running fleet of this machine at the broker. The old one opens nothing from then
 * on; the process reads its file and is back within seconds. Throws FleetError.
 */
export function rotateCredential(stateDir: string, name: string): void {
  const run = readRun(stateDir);
  if (!credentialNames().includes(name)) {
    throw new FleetError(
      'unknown-credential',
      `${name} has no credential of its own`,
      `there are those of ${credentialNames().slice(0, 6).join(', ')}, …`,
      'name one of them',
    );
  }
  const state = StateDir.open(stateDir);
  renewPassword(state, name);
  // The file first: who is cut off comes back with what it finds there.
  writeCredential(run.nats, state, name);
  if (reloadUsers(state)) return;
  throw new FleetError(
    'server-unsuitable',
    'the broker was not told',
    `no broker of this fleet's own runs from ${state.path}`,
    'where it is yours, change the password there; else start the fleet, which takes up the new one',
  );
}
