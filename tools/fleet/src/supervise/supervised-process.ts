import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../errors.js';
import { lastLines, logSince, logSize, openLog } from './log-file.js';
import { signalGroup, startTicksOf } from './process-identity.js';
import type { PidRecords } from './pid-records.js';
import type { Watchdog } from './watchdog.js';

/** Everything there is to know to start one process, and start it again. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Run as this user; only root may ask. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** The signal that asks for an orderly end. */
  readonly stopSignal: NodeJS.Signals;
  /** How long an orderly end may take before SIGKILL. */
  readonly graceMs: number;
  /** Higher tiers are stopped first; one tier stops together. Servers are tier 0. */
  readonly tier: number;
  /** Whether the process answers now. Asked again and again until it says yes. */
  readonly isReady: (pid: number) => Promise<boolean>;
  readonly readyTimeoutMs: number;
}

/** What a start came to. */
export type StartOutcome =
  | { readonly ok: true }
  /** It ended by itself before it was ready. */
  | { readonly ok: false; readonly code: 'exited'; readonly exit: string; readonly output: string }
  /** It runs but did not answer in time; it has been stopped. */
  | { readonly ok: false; readonly code: 'not-ready'; readonly output: string }
  /** The program could not be run at all. */
  | { readonly ok: false; readonly code: 'not-run'; readonly output: string }
  /** Stopped while it was starting. */
  | { readonly ok: false; readonly code: 'stopped'; readonly output: string };

/** What happens to a process that had been ready. */
export type ProcessEvent =
  | { readonly type: 'crashed'; readonly name: string; readonly exit: string; readonly restartInMs: number }
  | { readonly type: 'restarted'; readonly name: string; readonly pid: number };

/** The companions a process needs. */
export interface Surroundings {
  readonly watchdog: Watchdog;
  readonly records: PidRecords;
  /** The value of SEEDFLEET_RUN. */
  readonly token: string;
  readonly onEvent: (event: ProcessEvent) => void;
  /** The pauses before restarts grow up to this. */
  readonly restartLongestMs: number;
}

const READY_POLL_MS = 60;
/** First and longest pause before a crashed process is started again; doubled each time in between. */
const RESTART_FIRST_MS = 500;
export const RESTART_LONGEST_MS = 30_000;
/** After running this long the pauses start from the first again. */
const RESTART_FORGIVEN_AFTER_MS = 60_000;

/** One process under supervision: started, watched, started again when it crashes, stopped in order. */
export class SupervisedProcess {
  #child: ChildProcess | undefined;
  #exit: string | undefined;
  #exited: Promise<void> = Promise.resolve();
  #stopping = false;
  #wasReady = false;
  #restarts = 0;
  #startedAtMs = 0;
  #logFrom = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(
    readonly spec: ProcessSpec,
    readonly log: string,
    private readonly surroundings: Surroundings,
  ) {}

  /** The pid of the running process; undefined between a crash and the restart. */
  get pid(): number | undefined {
    return this.#exit === undefined ? this.#child?.pid : undefined;
  }

  /** Starts the process and waits until it is ready, has ended, or the time is up. */
  async start(): Promise<StartOutcome> {
    const spawnError = this.#spawn();
    if (spawnError !== undefined) return { ok: false, code: 'not-run', output: spawnError };
    if (await this.#becomesReady()) {
      this.#wasReady = true;
      return { ok: true };
    }
    const output = lastLines(logSince(this.log, this.#logFrom), 12);
    if (this.#stopping) return { ok: false, code: 'stopped', output };
    if (this.#exit !== undefined) return { ok: false, code: 'exited', exit: this.#exit, output };
    await this.stop();
    return { ok: false, code: 'not-ready', output };
  }

  /** Asks for an orderly end, and after the grace (or `graceMs`, if shorter) ends the process group by force. */
  async stop(graceMs: number = this.spec.graceMs): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const pid = this.pid;
    if (pid === undefined) return;
    signalGroup(pid, this.spec.stopSignal);
    const graceful = await Promise.race([
      this.#exited.then(() => true),
      sleep(Math.min(graceMs, this.spec.graceMs), false, { ref: false }),
    ]);
    if (!graceful) signalGroup(pid, 'SIGKILL');
    await this.#exited;
  }

  /** Ends the process group at once. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL');
  }

  /** Starts it; returns a reason when the program can't be run. */
  #spawn(): string | undefined {
    const { spec, surroundings } = this;
    let log: number | undefined;
    try {
      this.#logFrom = logSize(this.log);
      log = openLog(this.log);
      // Detached: the leader of its own group, so that a terminal's Ctrl-C reaches the tool alone, which stops in order.
      const child = spawn(spec.command, spec.args, {
        cwd: spec.cwd,
        env: { ...spec.env, SEEDFLEET_RUN: surroundings.token },
        stdio: ['ignore', log, log],
        detached: true,
        ...spec.owner,
      });
      child.on('error', () => undefined);
      this.#child = child;
      this.#startedAtMs = Date.now();
      if (child.pid === undefined) throw new Error('there is no such program, or it may not be run');
      this.#exit = undefined;
      this.#guard(child, child.pid);
      return undefined;
    } catch (thrown) {
      this.#exit = 'not run';
      return `${spec.command}: ${reasonOf(thrown)}`;
    } finally {
      if (log !== undefined) closeSync(log);
    }
  }

  /** Tells everybody who has to know of the new process, and of its end. */
  #guard(child: ChildProcess, pid: number): void {
    const { spec, surroundings } = this;
    const identity = { pid, startTicks: startTicksOf(pid) ?? '' };
    surroundings.watchdog.guard({ ...identity, stopSignal: spec.stopSignal });
    this.#exited = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        this.#exit = signal ?? `exit code ${code}`;
        // What the leader started and left behind goes with it.
        signalGroup(pid, 'SIGKILL');
        surroundings.watchdog.release(pid);
        surroundings.records.remove(pid);
        resolve();
        this.#afterExit();
      });
    });
    surroundings.records.add(spec.name, identity);
  }

  async #becomesReady(): Promise<boolean> {
    const deadline = Date.now() + this.spec.readyTimeoutMs;
    while (this.#exit === undefined && !this.#stopping && Date.now() < deadline) {
      const pid = this.pid;
      if (pid !== undefined && (await this.spec.isReady(pid).catch(() => false))) return this.#exit === undefined;
      await Promise.race([sleep(READY_POLL_MS), this.#exited]);
    }
    return false;
  }

  #afterExit(): void {
    if (this.#stopping || !this.#wasReady) return;
    if (Date.now() - this.#startedAtMs > RESTART_FORGIVEN_AFTER_MS) this.#restarts = 0;
    const restartInMs = Math.min(RESTART_FIRST_MS * 2 ** this.#restarts, this.surroundings.restartLongestMs);
    this.#restarts += 1;
    this.surroundings.onEvent({ type: 'crashed', name: this.spec.name, exit: this.#exit ?? '', restartInMs });
    this.#restartTimer = setTimeout(() => void this.#restart(), restartInMs);
  }

  async #restart(): Promise<void> {
    if (this.#stopping) return;
    if (this.#spawn() !== undefined) return this.#afterExit();
    const pid = this.pid;
    if ((await this.#becomesReady()) && pid !== undefined) {
      this.surroundings.onEvent({ type: 'restarted', name: this.spec.name, pid });
    } else if (this.#exit === undefined && !this.#stopping && pid !== undefined) {
      signalGroup(pid, 'SIGKILL'); // it hangs: its end starts the next attempt
    }
  }
}
