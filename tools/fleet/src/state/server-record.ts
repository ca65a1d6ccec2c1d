import { readFileSync, rmSync } from 'node:fs';
import type { Connections } from '../providers/connections.js';
import { isAlive, ownIdentity, type ProcessIdentity } from '../supervise/process-identity.js';
import { writeAtomically, type StateDir } from './state-dir.js';

interface ServerRecord {
  readonly runner: ProcessIdentity;
  readonly connections: Connections;
}

const FILE = 'servers.json';

/** Tells other invocations on the same state folder how to reach the servers that this process runs. */
export function recordServers(state: StateDir, connections: Connections): void {
  const record: ServerRecord = { runner: ownIdentity(), connections };
  writeAtomically(state.file(FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/** Takes the record back before the servers stop. */
export function forgetServers(state: StateDir): void {
  if (read(state)?.runner.pid === process.pid) rmSync(state.file(FILE), { force: true });
}

/** The servers that a living invocation of this tool runs for the state folder. */
export function recordedServers(state: StateDir): Connections | undefined {
  const record = read(state);
  return record !== undefined && isAlive(record.runner) ? record.connections : undefined;
}

function read(state: StateDir): ServerRecord | undefined {
  try {
    return JSON.parse(readFileSync(state.file(FILE), 'utf8')) as ServerRecord;
  } catch {
    return undefined; // none, or not ours
  }
}
