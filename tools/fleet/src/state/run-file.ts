import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FleetError } from '../errors.js';
import type { ProcessSummary } from '../supervise/supervisor.js';
import { writeAtomically, type StateDir } from './state-dir.js';

/** What `DIR/run.json` says while a fleet answers: everything a program needs to use it. */
export interface RunFile {
  readonly id: string;
  readonly network: string;
  /** `keyFile` holds the API key of the first administrator. */
  readonly marketApi: { readonly url: string; readonly keyFile: string };
  /** `peerAddress` is HOST:PORT for leechers, `dhtAddress` one for whoever joins the DHT (UDP). */
  readonly nodes: readonly { readonly id: string; readonly peerAddress: string; readonly dhtAddress: string }[];
  /** Credentials are in the URL. */
  readonly bitcoin: { readonly rpcUrl: string; readonly zmq: string };
  readonly postgres: string;
  readonly nats: string;
  /** The broker's monitoring endpoints, separated by commas; empty where they are not known. */
  readonly natsMonitorUrls: string;
  readonly redis: string;
  /** Everything this tool started and runs, servers included. */
  readonly processes: readonly ProcessSummary[];
}

const FILE = 'run.json';

/** Renames run.json into place. */
export function publishRun(state: StateDir, run: RunFile): void {
  writeAtomically(state.file(FILE), `${JSON.stringify(run, null, 2)}\n`);
}

/** What the fleet of a state folder says of itself. Throws FleetError where none runs. */
export function readRun(stateDir: string): RunFile {
  try {
    return JSON.parse(readFileSync(join(stateDir, FILE), 'utf8')) as RunFile;
  } catch {
    throw new FleetError(
      'not-running',
      `no fleet runs from ${stateDir}`,
      'there is no run.json in it',
      'start it with npm start, or name another folder',
    );
  }
}

/** Removes run.json: the fleet no longer answers, or never did. */
export function withdrawRun(state: StateDir): void {
  rmSync(state.file(FILE), { force: true });
}
