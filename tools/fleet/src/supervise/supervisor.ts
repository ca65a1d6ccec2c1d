import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runOneShot, type OneShotResult, type OneShotSpec } from './one-shot.js';
import { PidRecords } from './pid-records.js';
import { signalGroup } from './process-identity.js';
import {
  RESTART_LONGEST_MS,
  SupervisedProcess,
  type ProcessEvent,
  type ProcessSpec,
  type StartOutcome,
  type Surroundings,
} from './supervised-process.js';
import { Watchdog } from './watchdog.js';

/** One line of what runs, as run.json shows it. */
export interface ProcessSummary {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
}

/** Starts and stops the processes of one fleet; nothing it starts outlives it, however it ends. */
export class Supervisor {
  readonly #processes: SupervisedProcess[] = [];
  readonly #surroundings: Surroundings;
  readonly #logs: string;
  readonly #oneShots = new Set<number>();
  #closed = false;

  /**
   * @param folder the state folder; logs and pid records go below it
   * @param restartLongestMs the longest pause before a crashed process is started again
   */
  constructor(folder: string, onEvent: (event: ProcessEvent) => void, restartLongestMs = RESTART_LONGEST_MS) {
    this.#logs = join(folder, 'logs');
    mkdirSync(this.#logs, { recursive: true, mode: 0o700 });
    const token = randomBytes(12).toString('hex');
    this.#surroundings = {
      token,
      onEvent,
      restartLongestMs,
      watchdog: new Watchdog(token),
      records: new PidRecords(join(folder, 'pids')),
    };
  }

  /** The value of SEEDFLEET_RUN for commands that the tool runs beside its supervised processes. */
  get token(): string {
    return this.#surroundings.token;
  }

  /** The pid of the companion that cleans up after a killed tool, for tests. */
  get watchdogPid(): number | undefined {
    return this.#surroundings.watchdog.pid;
  }

  /** Where a process of this name logs to. */
  logOf(name: string): string {
    return join(this.#logs, `${name}.log`);
  }

  /** Ends what earlier runs of the same state folder left behind; returns the names. */
  endStrays(): Promise<readonly string[]> {
    return this.#surroundings.records.endStrays();
  }

  /** Starts a process and waits until it answers. A process that did not is not kept. */
  async start(spec: ProcessSpec): Promise<StartOutcome> {
    if (this.#closed) return { ok: false, code: 'stopped', output: '' };
    const process = new SupervisedProcess(spec, this.logOf(spec.name), this.#surroundings);
    this.#processes.push(process);
    const outcome = await process.start();
    if (!outcome.ok) this.#processes.splice(this.#processes.indexOf(process), 1);
    return outcome;
  }

  /** Stops one process by name, for good. */
  async stop(name: string): Promise<void> {
    const at = this.#processes.findIndex(({ spec }) => spec.name === name);
    const [process] = at < 0 ? [] : this.#processes.splice(at, 1);
    await process?.stop();
  }

  /** Runs a command to its end; ended with everything else if the fleet stops first. */
  async run(spec: OneShotSpec): Promise<OneShotResult> {
    if (this.#closed) return { exitCode: null, errorOutput: 'the fleet is stopping' };
    let started: number | undefined;
    try {
      return await runOneShot(spec, this.#surroundings, (pid) => {
        started = pid;
        this.#oneShots.add(pid);
      });
    } finally {
      if (started !== undefined) this.#oneShots.delete(started);
    }
  }

  /** What runs now, in starting order. */
  summary(): readonly ProcessSummary[] {
    return this.#processes.flatMap(({ spec, pid, log }) => (pid === undefined ? [] : [{ name: spec.name, pid, log }]));
  }

  /** Stops everything, highest tier first. With a grace, no process gets longer than that. Never fails. */
  async stopAll(graceMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#closed = true;
    for (const pid of this.#oneShots) signalGroup(pid, 'SIGTERM');
    const tiers = [...new Set(this.#processes.map(({ spec }) => spec.tier))].sort((a, b) => b - a);
    for (const tier of tiers) {
      await Promise.all(this.#processes.filter(({ spec }) => spec.tier === tier).map((one) => one.stop(graceMs)));
    }
    for (const pid of this.#oneShots) signalGroup(pid, 'SIGKILL');
    this.#surroundings.watchdog.dismiss();
  }

  /** Ends everything at once, without waiting: for the second Ctrl-C. */
  killAll(): void {
    this.#closed = true;
    for (const pid of this.#oneShots) signalGroup(pid, 'SIGKILL');
    for (const process of this.#processes) process.kill();
  }
}
